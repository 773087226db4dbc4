"""Flags as `up` is given them, and a control plane that obeys them."""

import base64
import json
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import Cluster
from fakes.etcd import Etcd, skip_without_etcd
from pilothouse.cluster.apiserver_flags import apiserver_flags
from pilothouse.cluster.errors import ClusterError

ENCRYPTION = """
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources: [{resources: [secrets], providers: [%s]}]
"""
SECRETBOX = "{secretbox: {keys: [{name: k1, secret: %s}]}}" % base64.b64encode(b"k" * 32).decode()  # noqa: UP031
AUDIT = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata, resources: [{resources: [secrets]}]}]\n"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        Path(place).chmod(0o711)
        made = Cluster(Path(place) / "home")
        try:
            yield made
        finally:
            made.run("down", "--delete")


def up(cluster: Cluster, **flags: str) -> None:
    """Start a control plane, the first time on a free port."""
    words = [f"--apiserver-flag={name.replace('_', '-')}={value}" for name, value in flags.items()]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = ["--port", str(probe.getsockname()[1])]
    cluster.run("up", "--no-node", *([] if cluster.home.exists() else port), *words, check=True)


def test_words_become_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["event-ttl=10m", "--audit-policy-file=p.yaml", "audit-log-path=-"]
    absolute = str(tmp_path / "p.yaml")
    assert apiserver_flags(words) == {"event-ttl": "10m", "audit-policy-file": absolute, "audit-log-path": "-"}
    with pytest.raises(ClusterError, match=r"--apiserver-flag: unknown flag: --event$"):
        apiserver_flags(["event=1"])


def test_the_cluster_is_in_the_etcd_that_up_is_told_of(cluster: Cluster) -> None:
    skip_without_etcd()
    with Etcd.running() as etcd:
        up(cluster, etcd_servers=",".join(etcd.urls), etcd_prefix="/here")
        cluster.kubectl("create", "configmap", "kept")
        assert list(cluster.home.rglob("state.db")) == []
        other = cluster.run("up", "--apiserver-flag=etcd-servers=http://127.0.0.1:1")
        assert "the cluster runs with another --apiserver-flag" in other.stderr
        cluster.run("down", check=True)
        up(cluster)
        assert "configmap/kept" in cluster.kubectl("get", "configmaps", "-o", "name")


def test_secrets_are_encrypted_and_their_keys_changed(cluster: Cluster) -> None:
    def configured(*providers: str) -> str:
        path = cluster.home.parent / "encryption.yaml"
        path.write_text(ENCRYPTION % ", ".join(providers))
        path.chmod(0o644)
        return str(path)

    def stored(word: bytes) -> bool:
        backup = cluster.home.parent / "backup.db"
        cluster.run("backup", str(backup), check=True)
        found = word in backup.read_bytes()
        backup.unlink()
        return found

    up(cluster)
    cluster.kubectl("create", "secret", "generic", "old", "--from-literal=a=before")
    before = base64.b64encode(b"before")
    assert stored(before)
    cluster.run("down", check=True)
    up(cluster, encryption_provider_config=configured(SECRETBOX, "{identity: {}}"))
    cluster.kubectl("create", "secret", "generic", "new", "--from-literal=a=after")
    assert cluster.get("secret", "new")["data"]["a"] == base64.b64encode(b"after").decode()
    assert not stored(base64.b64encode(b"after"))
    assert stored(before), "what is not written again stays as it was"
    # As upstream's documentation says to do it.
    cluster.kubectl("replace", "-f", "-", text=json.dumps(cluster.get("secrets", "-A")))
    assert not stored(before)
    assert stored(b"k8s:enc:secretbox:v1:k1:")
    cluster.run("down", check=True)
    configured("{identity: {}}")
    refused = cluster.run("up")
    assert refused.returncode == 1
    assert "unable to transform key 'core/secrets/" in refused.stderr


def test_requests_are_audited(cluster: Cluster) -> None:
    place = cluster.home.parent
    log, policy = place / "audit" / "audit.log", place / "policy.yaml"
    log.parent.mkdir()
    log.parent.chmod(0o777)
    policy.write_text(AUDIT)
    policy.chmod(0o644)
    up(cluster, audit_log_path=str(log), audit_policy_file=str(policy), audit_log_mode="blocking")
    cluster.kubectl("create", "secret", "generic", "watched", "--from-literal=a=hidden")
    events = [json.loads(line) for line in log.read_text().splitlines()]
    (made,) = [e for e in events if e["verb"] == "create" and e["stage"] == "ResponseComplete"]
    assert made["objectRef"] == {"resource": "secrets", "namespace": "default", "name": "watched", "apiVersion": "v1"}
    assert made["user"]["username"] == "kubernetes-admin"
    assert "hidden" not in log.read_text()
