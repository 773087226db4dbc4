"""What a user reads when a part of the cluster cannot come up."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fakes.command import Cluster
from pilothouse.store.database import Database


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A control plane that was up, and is down."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place, socket.socket() as probe:
        Path(place).chmod(0o711)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        made = Cluster(Path(place) / "home")
        try:
            made.run("up", "--no-node", "--port", str(port), check=True)
            made.run("down", check=True)
            yield made
        finally:
            made.run("down", "--delete")


def test_a_store_in_use_and_one_that_is_damaged_are_told(cluster: Cluster) -> None:
    (path,) = cluster.home.rglob("state.db")
    log = cluster.home / "logs" / "apiserver.log"

    def refusal() -> str:
        up = cluster.run("up")
        assert up.returncode == 1, up.stderr
        assert cluster.pids() == {}, "nothing stays behind"
        return up.stderr.splitlines()[-1]

    with closing(Database(path)):
        in_use = f"{path} is in use by another process; stop that one first"
        assert refusal() == f"pilothouse: apiserver ends again and again: {in_use}; see {log}"
    sound = path.read_bytes()
    damaged = bytearray(sound)
    damaged[sound.rindex(b"kube-system")] ^= 1
    path.write_bytes(damaged)
    told = refusal()
    assert told.startswith(f"pilothouse: apiserver ends again and again: {path} is damaged (")
    what_to_do = "put a backup in its place, or move it and state.db-wal away to begin with an empty store"
    assert told.endswith(f"; {what_to_do}; see {log}")
    assert path.read_bytes() == damaged
    path.write_bytes(sound)
    again = cluster.run("up")
    assert again.returncode == 0, again.stderr
