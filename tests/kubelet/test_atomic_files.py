"""Files that change all at once, as upstream's AtomicWriter lays them out."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilothouse.kubelet.atomic_files import FileContent, write_files


def test_files_and_what_is_above_them_have_their_modes(tmp_path: Path) -> None:
    assert write_files(tmp_path, {"deep/key": FileContent(b"1", 0o440), "b": FileContent(b"2", 0o644)}, 0)
    assert {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("deep/key", "b", "..data")} == {
        "deep/key": 0o440,
        "b": 0o644,
        "..data": 0o755,
    }


def test_nobody_reads_a_file_before_it_has_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    write = os.write

    def noting(file: int, data: bytes) -> int:
        written = write(file, data)
        modes.append(stat.S_IMODE(os.fstat(file).st_mode))
        return written

    monkeypatch.setattr(os, "write", noting)
    write_files(tmp_path, {"key": FileContent(b"secret", 0o400)}, 0)
    assert modes == [0o600]
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o400


@pytest.fixture
def strict() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("strict")
def test_directories_are_open_whatever_the_umask(tmp_path: Path) -> None:
    write_files(tmp_path, {"deep/er/key": FileContent(b"1", 0o444)}, 0)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("..data", "deep", "deep/er")] == [0o755] * 3


def listing(directory: Path) -> dict[str, bytes]:
    """What a container sees by ordinary names."""
    places = [(Path(above).relative_to(directory), names) for above, _, names in os.walk(directory, followlinks=True)]
    ordinary = [(above, names) for above, names in places if not str(above).startswith("..")]
    return {str(above / name): (directory / above / name).read_bytes() for above, names in ordinary for name in names}


@pytest.mark.parametrize(("before", "after"), [
    ({}, {"a": b"1"}),
    ({"a": b"1"}, {"a": b"2"}),
    ({"a": b"1", "b": b"2"}, {"b": b"2"}),
    ({"a": b"1"}, {}),
    ({"x/a": b"1", "x/b": b"2"}, {"x/b": b"3"}),
    ({"x/a": b"1"}, {"y/z/a": b"1"}),
    ({"x": b"1"}, {"x/y": b"1"}),
])  # fmt: skip
def test_exactly_the_files_are_there(tmp_path: Path, before: dict[str, bytes], after: dict[str, bytes]) -> None:
    for files in (before, after):
        assert write_files(tmp_path, {name: FileContent(data, 0o644) for name, data in files.items()}, 0)
        assert listing(tmp_path) == files


def test_names_lead_through_one_link_that_is_changed_at_once(tmp_path: Path) -> None:
    files = {"a": FileContent(b"1", 0o644), "x/b": FileContent(b"2", 0o644)}
    write_files(tmp_path, files, 0)
    assert {path.name: str(path.readlink()) for path in tmp_path.iterdir() if path.is_symlink()} == {
        "..data": "..1970_01_01_00_00_00.1", "a": "..data/a", "x": "..data/x",
    }  # fmt: skip
    first = (tmp_path / "..data").readlink()
    assert not write_files(tmp_path, files, 60)
    assert write_files(tmp_path, files | {"a": FileContent(b"1", 0o600)}, 60)
    assert (tmp_path / "..data").readlink() != first
    assert not (tmp_path / first).exists()


def test_a_write_that_was_cut_off_is_made_good(tmp_path: Path) -> None:
    write_files(tmp_path, {"a": FileContent(b"1", 0o644)}, 0)
    (tmp_path / "..data_tmp").symlink_to("nowhere")
    (tmp_path / "..1970_01_01_00_00_00.2").mkdir()
    assert write_files(tmp_path, {"a": FileContent(b"2", 0o644)}, 0)
    assert (tmp_path / "a").read_bytes() == b"2"
