"""A control plane that keeps its cluster in etcd."""

import socket
import tempfile
from pathlib import Path

from fakes.command import Cluster
from fakes.etcd import Etcd, skip_without_etcd


def test_the_cluster_is_in_the_etcd_that_up_is_told_of() -> None:
    skip_without_etcd()
    with (
        Etcd.running() as etcd,
        tempfile.TemporaryDirectory(dir="/var/tmp") as place,
        socket.socket() as probe,
    ):
        Path(place).chmod(0o711)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        cluster = Cluster(Path(place) / "home")
        flags = ("--etcd-servers", ",".join(etcd.urls), "--etcd-prefix", "/here")
        try:
            cluster.run("up", "--no-node", "--port", str(port), *flags, check=True)
            cluster.kubectl("create", "configmap", "kept")
            assert list(cluster.home.rglob("state.db")) == []
            cluster.run("down", check=True)
            other = cluster.run("up", "--etcd-servers", "http://127.0.0.1:1")
            assert "was made with another --etcd-servers" in other.stderr
            cluster.run("up", *flags, check=True)
            assert "configmap/kept" in cluster.kubectl("get", "configmaps", "-o", "name")
        finally:
            cluster.run("down", "--delete")
