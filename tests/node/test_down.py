"""`down` after the worst: whatever was killed, and whenever, nothing of the cluster stays on the machine."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.command import Cluster, eventually, is_root
from fakes.traces import differences, snapshot
from pilothouse.cluster.addresses import free_port

SIGNS = ["cluster.json", "supervisor/processes.json", "node/run/containerd.json", "inventory.jsonl", "node/cni"]
"""What lies in the home at different moments of an `up`."""


@pytest.fixture
def place() -> Iterator[Path]:
    if not is_root():
        pytest.skip("a node needs root")
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="ph") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory) / "home"


@pytest.mark.parametrize("sign", SIGNS)
def test_killed_half_way_through_up(place: Path, sign: str) -> None:
    before = snapshot(place)
    cluster = Cluster(place)
    command = [sys.executable, "-m", "pilothouse.cli", "up", "--home", str(place), "--port", str(free_port(6443))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        eventually((place / sign).exists)
        up.kill()
    kill_everything(cluster)
    down = cluster.run("down", "--delete")
    assert down.returncode == 0, down.stderr
    assert differences(before, snapshot(place)) == {}


def kill_everything(cluster: Cluster) -> None:
    """kill -9, as a machine does that runs out of memory."""
    for process in cluster.status()["processes"]:
        if process["pid"]:
            os.kill(process["pid"], signal.SIGKILL)
