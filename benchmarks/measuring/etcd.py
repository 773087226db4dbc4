"""An etcd of one member on this machine, with its data on a disk as in earnest."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from pilothouse.cluster.addresses import free_port

_PATIENCE = 30


@contextmanager
def etcd() -> Iterator[str]:
    """Start it; its URL."""
    if shutil.which("etcd") is None:
        raise SystemExit("no etcd is installed: make test-packages")
    client, peer = (f"127.0.0.1:{free_port(0)}" for _ in range(2))
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        command = [
            "etcd", "--data-dir", f"{place}/data", "--initial-cluster", f"default=http://{peer}",
            "--listen-client-urls", f"http://{client}", "--advertise-client-urls", f"http://{client}",
            "--listen-peer-urls", f"http://{peer}", "--initial-advertise-peer-urls", f"http://{peer}",
        ]  # fmt: skip
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with grpc.insecure_channel(client) as channel:
                grpc.channel_ready_future(channel).result(_PATIENCE)
            yield f"http://{client}"
        finally:
            child.terminate()
            child.wait()
