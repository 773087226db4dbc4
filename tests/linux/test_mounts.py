"""Paths that others chose cannot lead out, and what is mounted is not deleted."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilothouse.linux.mounts import MountedError, Mounts


@pytest.fixture
def mounts() -> Mounts:
    return Mounts()


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume in which a container has been, beside a secret of the node."""
    (tmp_path / "secret").write_text("of the node")
    inside = tmp_path / "volume"
    (inside / "deep").mkdir(parents=True)
    (inside / "deep/file").write_text("of the volume")
    (inside / "secret").write_text("of the volume")
    (inside / "out").symlink_to("../secret")
    (inside / "absolute").symlink_to(tmp_path / "secret")
    (inside / "root").symlink_to("/secret")
    (inside / "in").symlink_to("deep")
    (inside / "loop").symlink_to("loop")
    return inside


@pytest.mark.parametrize("path", ["deep/file", "in/file", "deep/../secret", "../secret", "out", "root", "./secret"])
def test_every_path_stays_below_the_root(mounts: Mounts, volume: Path, path: str) -> None:
    descriptor = mounts.open_within(volume, path)
    try:
        assert Path(f"/proc/self/fd/{descriptor}").read_text() == "of the volume"
        assert not os.get_inheritable(descriptor)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(("path", "error"), [
    ("none", errno.ENOENT), ("absolute", errno.ENOENT), ("loop", errno.ELOOP), ("secret/x", errno.ENOTDIR),
])  # fmt: skip
def test_what_is_not_there_is_an_error(mounts: Mounts, volume: Path, path: str, error: int) -> None:
    with pytest.raises(OSError, match="volume") as found:
        mounts.open_within(volume, path)
    assert found.value.errno == error


def test_no_descriptor_is_left_open(mounts: Mounts, volume: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in ("none", "loop"):
        with pytest.raises(OSError, match=path):
            mounts.open_within(volume, path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_link_of_proc_is_not_followed(mounts: Mounts, tmp_path: Path) -> None:
    (tmp_path / "magic").symlink_to("/proc/self/root")
    with pytest.raises(FileNotFoundError):
        mounts.open_within(tmp_path, "magic")


def test_a_tree_is_deleted_and_nothing_that_links_lead_to(mounts: Mounts, volume: Path) -> None:
    (volume / "elsewhere").symlink_to(volume.parent / "kept")
    (volume.parent / "kept").mkdir()
    (volume.parent / "kept/file").touch()
    mounts.remove_tree(volume)
    assert sorted(path.name for path in volume.parent.iterdir()) == ["kept", "secret"]
    assert (volume.parent / "kept/file").exists()
    mounts.remove_tree(volume)


def test_a_link_alone_is_deleted_as_such(mounts: Mounts, volume: Path) -> None:
    link = volume.parent / "link"
    link.symlink_to(volume)
    mounts.remove_tree(link)
    assert not link.is_symlink()
    assert volume.is_dir()


def test_nothing_is_mounted_here(mounts: Mounts, tmp_path: Path) -> None:
    assert mounts.below(tmp_path) == []
    assert not mounts.is_mounted(tmp_path)
    mounts.unmount(tmp_path)
    mounts.unmount(tmp_path / "none")


@pytest.fixture
def place(mounts: Mounts, tmp_path: Path) -> Iterator[Path]:
    """A directory whose mounts are taken away afterwards. Its name is written differently by the kernel."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    found = tmp_path / "a blank, a \\040 and a\n"
    found.mkdir()
    yield found
    for point in mounts.below(found):
        mounts.unmount(point)


@pytest.mark.node
def test_what_is_mounted_is_not_deleted(mounts: Mounts, place: Path) -> None:
    (place / "a").mkdir()
    mounts.tmpfs(place / "a", 1 << 20, 0o750)
    (place / "a/kept").touch()
    assert mounts.below(place) == [place / "a"]
    assert mounts.is_mounted(place / "a")
    assert not mounts.is_mounted(place)
    with pytest.raises(MountedError):
        mounts.remove_tree(place)
    assert (place / "a/kept").exists()
    mounts.unmount(place / "a")
    assert not (place / "a/kept").exists()
    mounts.remove_tree(place)
    assert not place.exists()


@pytest.mark.node
def test_memory_has_a_size_and_a_mode(mounts: Mounts, place: Path) -> None:
    mounts.tmpfs(place, 1 << 20, 0o750)
    found = os.statvfs(place)
    assert found.f_blocks * found.f_frsize == 1 << 20
    assert place.stat().st_mode & 0o7777 == 0o750


@pytest.mark.node
def test_a_bind_shows_a_file_or_a_directory_with_its_own_mounts(mounts: Mounts, place: Path) -> None:
    for name in ("from", "to"):
        (place / name / "inner").mkdir(parents=True)
    mounts.tmpfs(place / "from/inner")
    (place / "from/inner/x").write_text("shown")
    mounts.bind(place / "from", place / "to")
    assert (place / "to/inner/x").read_text() == "shown"
    (place / "file").touch()
    mounts.bind(place / "to/inner/x", place / "file")
    assert (place / "file").read_text() == "shown"
    assert mounts.below(place)[0] == place / "file"


@pytest.mark.node
def test_a_mount_that_fails_says_where(mounts: Mounts, place: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none"):
        mounts.tmpfs(place / "none")


@pytest.mark.node
def test_mounts_below_a_shared_directory_are_seen_where_it_is_shown(mounts: Mounts, place: Path) -> None:
    for name in ("from/inner", "to"):
        (place / name).mkdir(parents=True)
    mounts.share(place / "from")
    mounts.bind(place / "from", place / "to")
    mounts.tmpfs(place / "from/inner")
    (place / "from/inner/later").touch()
    assert (place / "to/inner/later").exists()


@pytest.mark.node
def test_what_is_taken_away_where_it_is_shown_stays_where_it_was(mounts: Mounts, place: Path) -> None:
    for name in ("from/inner", "to"):
        (place / name).mkdir(parents=True)
    mounts.share(place / "from")
    mounts.tmpfs(place / "from/inner")
    (place / "from/inner/file").touch()
    mounts.bind(place / "from", place / "to")
    for point in mounts.below(place / "to"):
        mounts.unmount(point)
    assert mounts.below(place / "to") == []
    assert (place / "from/inner/file").exists()


@pytest.mark.node
def test_mounts_below_what_is_shown_reach_whom_it_is_shown_to_and_not_the_machine(mounts: Mounts, place: Path) -> None:
    for name in ("from/inner", "to", "container"):
        (place / name).mkdir(parents=True)
    mounts.share(place / "from")
    mounts.bind(place / "from", place / "to")
    mounts.bind(place / "to", place / "container")
    mounts.tmpfs(place / "to/inner")
    (place / "to/inner/file").touch()
    assert (place / "container/inner/file").exists()
    assert not (place / "from/inner/file").exists()
