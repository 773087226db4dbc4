"""A cluster as `pilothouse up` makes it, in a home of its own, and its processes."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pilothouse.client.transport import HttpTransport
from pilothouse.cluster.addresses import free_port
from pilothouse.cluster.home import Home
from pilothouse.cluster.pki import Pki
from pilothouse.cluster.settings import Settings
from pilothouse.runtime.clock import SystemClock

COMMAND = [sys.executable, "-m", "pilothouse.cli"]


class Whole:
    """One that is Ready."""

    def __init__(self, home: Home, seconds: float) -> None:
        self.home = home
        self.seconds = seconds
        """From the command to the Ready node, by the clock."""

    def pids(self) -> dict[str, int]:
        """The processes by their roles."""
        told = self.run("status", "-o", "json")
        return {each["role"]: each["pid"] for each in json.loads(told)["processes"] if each["pid"]}

    def transport(self) -> HttpTransport:
        """The way of an administrator to the API server."""
        return Pki(self.home, Settings.load(self.home)).access("admin", "admin").transport(SystemClock())

    def run(self, *arguments: str) -> bytes:
        """One command of `pilothouse` for this cluster."""
        command = [*COMMAND, *arguments, "--home", str(self.home.path)]
        return subprocess.run(command, check=True, capture_output=True).stdout


@contextmanager
def cluster(*flags: str) -> Iterator[Whole]:
    """Bring one up; take it down, and all that it made."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        Path(place).chmod(0o711)
        whole = Whole(Home(Path(place) / "h"), 0.0)
        begin = time.perf_counter()
        try:
            whole.run("up", "--port", str(free_port(0)), *flags)
            whole.seconds = time.perf_counter() - begin
            yield whole
        finally:
            whole.run("down", "--delete")
