"""A control plane alone, by the command a user types: it comes up, survives the end of any process, and goes."""

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import Cluster, eventually, is_root
from pilothouse.cluster.home import Home
from pilothouse.cluster.settings import Settings


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place, socket.socket() as probe:
        Path(place).chmod(0o711)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        made = Cluster(Path(place) / "home")
        up = made.run("up", "--no-node", "--port", str(port))
        try:
            assert up.returncode == 0, up.stderr
            yield made
        finally:
            made.run("down", "--delete")
            assert not made.home.exists()


def test_it_answers_kubectl(cluster: Cluster) -> None:
    assert "kube-system" in cluster.kubectl("get", "namespaces", "-o", "name")
    eventually(lambda: "default" in cluster.kubectl("get", "serviceaccounts", "-o", "name"))


@pytest.mark.skipif(not is_root(), reason="only root can start processes as somebody else")
def test_the_control_plane_is_not_root(cluster: Cluster) -> None:
    users = {each["role"]: each["uid"] for each in cluster.status()["processes"]}
    assert users == {"supervisor": 0, "watcher": 0, "apiserver": 65532, "control": 65532}


def test_status_breaks_no_path(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert f"kubeconfig  {cluster.kubeconfig}\n" in cluster.run("status").stdout


def test_a_second_up_finds_the_same_cluster(cluster: Cluster) -> None:
    before = cluster.pids()
    again = cluster.run("up")
    assert again.returncode == 0, again.stderr
    assert cluster.pids() == before


def test_another_port_is_refused(cluster: Cluster) -> None:
    again = cluster.run("up", "--port", "1")
    assert again.returncode == 1
    assert "was made with another --port" in again.stderr


@pytest.mark.parametrize("role", ["apiserver", "control", "watcher", "supervisor"])
def test_a_killed_process_comes_back_and_others_stay(cluster: Cluster, role: str) -> None:
    cluster.kubectl("create", "configmap", f"before-{role}")
    before = cluster.pids()
    os.kill(before[role], signal.SIGKILL)
    eventually(lambda: cluster.pids().keys() == before.keys() and cluster.pids()[role] != before[role])
    after = cluster.pids()
    # The watcher becomes the supervisor, and a new watcher is made.
    replaced = {"supervisor", "watcher"} if role == "supervisor" else {role}
    assert {name for name in before if before[name] != after[name]} == replaced
    assert f"before-{role}" in cluster.kubectl("get", "configmap", f"before-{role}", "-o", "name")


def test_down_keeps_the_state_for_the_next_up(cluster: Cluster) -> None:
    cluster.kubectl("create", "configmap", "kept")
    down = cluster.run("down")
    assert down.returncode == 0, down.stderr
    assert cluster.pids() == {}
    up = cluster.run("up")
    assert up.returncode == 0, up.stderr
    assert "kept" in cluster.kubectl("get", "configmap", "kept", "-o", "name")


def test_a_backup_taken_while_it_serves_comes_back(cluster: Cluster, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    cluster.kubectl("create", "configmap", "before")
    saved = cluster.run("backup", str(backup))
    assert saved.returncode == 0, saved.stderr
    assert saved.stdout.endswith(f" objects are saved in {backup}.\n")
    assert backup.stat().st_mode & 0o777 == 0o600
    again = cluster.run("backup", str(backup))
    assert again.returncode == 1
    assert again.stderr == f"pilothouse: {backup}: File exists\n"
    cluster.kubectl("create", "configmap", "after")
    last = int(cluster.get("configmap", "after")["metadata"]["resourceVersion"])
    refused = cluster.run("restore", str(backup))
    assert refused.returncode == 1
    assert "the cluster runs" in refused.stderr
    cluster.run("down")
    alone = cluster.run("backup", str(tmp_path / "another.db"))
    assert alone.returncode == 1
    assert "the API server does not answer" in alone.stderr
    assert not (tmp_path / "another.db").exists()
    restored = cluster.run("restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    (aside,) = cluster.home.glob("apiserver/state.db.*")
    assert f"The state of before lies in {aside}." in restored.stdout
    up = cluster.run("up")
    assert up.returncode == 0, up.stderr
    names = cluster.kubectl("get", "configmaps", "-o", "name").split()
    assert "configmap/before" in names
    assert "configmap/after" not in names
    cluster.kubectl("create", "configmap", "after")
    assert int(cluster.get("configmap", "after")["metadata"]["resourceVersion"]) > last


@pytest.mark.parametrize("content", [b"", b"no database"])
def test_what_is_no_backup_is_not_restored(cluster: Cluster, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "backup.db").write_bytes(content)
    cluster.run("down")
    before = (cluster.home / "apiserver" / "state.db").read_bytes()
    restored = cluster.run("restore", str(tmp_path / "backup.db"))
    assert restored.returncode == 1
    assert restored.stderr.startswith("pilothouse: nothing was restored: ")
    assert str(tmp_path / "backup.db") in restored.stderr
    assert (cluster.home / "apiserver" / "state.db").read_bytes() == before
    assert cluster.run("up").returncode == 0


def test_status_and_down_without_a_cluster(tmp_path: Path) -> None:
    nothing = Cluster(tmp_path / "none")
    for verb in ("status", "down", "kubeconfig"):
        answer = nothing.run(verb)
        assert answer.returncode == 1
        assert answer.stderr.startswith("pilothouse: there is no cluster in")
        assert not nothing.home.exists()


def test_a_port_in_use_leaves_nothing_behind(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "made" / "home")
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        up = cluster.run("up", "--no-node", "--port", str(taken.getsockname()[1]))
    assert up.returncode == 1
    assert "is in use" in up.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_a_cluster_was_made_with_is_named_as_its_flag(tmp_path: Path) -> None:
    Settings(port=1, node=True).save(Home(tmp_path))
    up = Cluster(tmp_path).run("up", "--no-node")
    assert up.returncode == 1
    assert "was made with another --no-node: leave it out" in up.stderr
