"""Notes of a cluster's processes: what lives is found, and a cluster that never began can be stopped."""

import os
from pathlib import Path

from pilothouse.cluster.home import Home
from pilothouse.cluster.notes import Notes
from pilothouse.linux.processes import Identity


def test_what_was_noted_and_lives_is_found(tmp_path: Path) -> None:
    notes, home = Notes(Home(tmp_path)), Home(tmp_path)
    assert notes.living() == {}
    notes.go()
    itself = Identity.of(os.getpid())
    assert itself is not None
    notes.write({"apiserver": itself, "control": Identity(itself.pid, itself.started + 1)})
    assert Notes(home).living() == {"apiserver": itself}


def test_a_cluster_that_never_began_is_stopped(tmp_path: Path) -> None:
    notes = Notes(Home(tmp_path))
    notes.stop()
    assert notes.stopping
    notes.go()
    assert not notes.stopping


def test_a_home_that_is_gone_stops(tmp_path: Path) -> None:
    assert Notes(Home(tmp_path / "gone")).stopping
