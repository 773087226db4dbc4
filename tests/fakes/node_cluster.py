"""One cluster with a real node for all tests that run containers."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import Cluster, is_root
from fakes.traces import differences, snapshot
from pilothouse.cluster.addresses import free_port

_LOG_BYTES = 3000


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A home that the unprivileged user may enter, and short enough for its sockets."""
    if not is_root():
        pytest.skip("a node needs root")
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="ph") as place:
        Path(place).chmod(0o711)
        yield Path(place) / "home"


@pytest.fixture(scope="session")
def cluster(home: Path) -> Iterator[Cluster]:
    """A cluster of one node; when it is gone, the machine must be as it was."""
    before = snapshot(home)
    made = Cluster(home)
    up = made.run("up", "--port", str(free_port(6443)))
    try:
        assert up.returncode == 0, up.stderr + _logs(home)
        yield made
    finally:
        down = made.run("down", "--delete")
    assert down.returncode == 0, down.stderr
    assert not home.exists()
    assert differences(before, snapshot(home)) == {}


def _logs(home: Path) -> str:
    logs = sorted((home / "logs").glob("*.log")) if (home / "logs").exists() else []
    return "".join(f"\n--- {log.name}\n{log.read_text(errors='replace')[-_LOG_BYTES:]}" for log in logs)
