"""Files that are replaced all at once."""

import os
from pathlib import Path

import pytest

from pilothouse.runtime.whole_file import write_whole


@pytest.mark.parametrize("lasting", [True, False])
def test_a_file_is_replaced_and_nobody_else_may_read_it(tmp_path: Path, lasting: bool) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"longer than what comes")
    (tmp_path / ".state.new").write_bytes(b"of a process that was killed")
    write_whole(path, b"new", lasting=lasting)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [*tmp_path.iterdir()] == [path]


def test_the_old_content_stays_where_the_new_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(("lasting", "order"), [(True, ["content", "name", "directory"]), (False, ["name"])])
def test_content_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lasting: bool, order: list[str]
) -> None:
    """A crash of the machine leaves the old content or the new one, not an empty file."""
    found: list[str] = []

    def synced(descriptor: int) -> None:
        place = Path(f"/proc/self/fd/{descriptor}")
        found.append("directory" if place.is_dir() else "content" if place.read_bytes() == b"new" else "nothing")

    def renamed(path: Path, to: Path) -> None:
        found.append("name")
        path.rename(to)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    write_whole(tmp_path / "state", b"new", lasting=lasting)
    assert found == order
    assert (tmp_path / "state").read_bytes() == b"new"
