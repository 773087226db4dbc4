"""The supervisor on a disk that takes no notes. What it does otherwise, test_control_plane shows with real roles."""

import os
import subprocess
from pathlib import Path

import pytest

from pilothouse.cluster.home import Home, private_directory
from pilothouse.cluster.notes import SUPERVISOR, Notes
from pilothouse.cluster.settings import Settings
from pilothouse.cluster.supervisor import Supervisor
from pilothouse.linux.processes import Identity


class Sleepers(Supervisor):
    """Its roles sleep."""

    def __init__(self, home: Home) -> None:
        super().__init__(home, Settings(node=False))
        self.children: dict[int, subprocess.Popen[bytes]] = {}

    def _fork(self, name: str) -> Identity:
        child = subprocess.Popen(["sleep", "60"])
        self.children[child.pid] = child
        identity = Identity.of(child.pid)
        assert identity is not None
        return identity

    def end_all(self) -> None:
        for child in self.children.values():
            child.kill()
            child.wait()
        for handle in self._handles:
            os.close(handle)


def test_what_cannot_be_noted_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "home")
    home.path.mkdir()
    private_directory(home.supervisor)
    notes, full = Notes(home), True
    write = Notes.write

    def writes(self: Notes, processes: dict[str, Identity]) -> None:
        if full:
            raise OSError(28, "No space left on device")
        write(self, processes)

    monkeypatch.setattr(Notes, "write", writes)
    supervisor = Sleepers(home)
    try:
        supervisor._adopt()
        supervisor._start_due()
        assert len(supervisor.children) == 3
        while supervisor._running:
            for handle, _ in supervisor._poll.poll(10_000):
                supervisor._ended(handle)
        assert notes.living() == {}
        patience = supervisor._patience()
        assert patience is not None
        assert 0 < patience <= 1001, "tried again before long"
        full = False
        for name in supervisor._due:
            supervisor._due[name] = 0.0
        supervisor._start_due()
        assert notes.living().keys() == {SUPERVISOR, "watcher", "apiserver", "control"}
        assert supervisor._patience() is None
    finally:
        supervisor.end_all()
