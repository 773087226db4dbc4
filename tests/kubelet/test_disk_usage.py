"""What lies on disks, as `du` counts it."""

import os
import subprocess
from pathlib import Path

import pytest

from pilothouse.kubelet import disk_usage


def test_a_directory_is_what_du_says(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/large").write_bytes(b"x" * 100_000)
    (tmp_path / "a/b/small").write_bytes(b"x")
    os.link(tmp_path / "a/large", tmp_path / "a/b/again")
    (tmp_path / "a/link").symlink_to("/usr")
    found = disk_usage.directory(tmp_path, 7.0)
    told = subprocess.run(["du", "-s", "--block-size=1", str(tmp_path)], capture_output=True, text=True, check=True)
    assert found.used == int(told.stdout.split()[0])
    assert found.inodes_used == 6
    assert found.at == 7.0


def test_the_rest_is_of_the_whole_file_system(tmp_path: Path) -> None:
    share, whole = disk_usage.share(tmp_path, 1.0, 5, 2), disk_usage.filesystem(tmp_path, 1.0)
    assert (share.used, share.inodes_used, share.capacity, share.inodes) == (5, 2, whole.capacity, whole.inodes)
    assert 0 < whole.used < whole.capacity
    assert whole.inodes_used == whole.inodes - whole.inodes_free


def test_a_volume_that_is_a_mount_is_the_whole_file_system() -> None:
    """Of /proc: something is mounted there everywhere."""
    assert disk_usage.volume(Path("/proc"), 1.0) == disk_usage.filesystem(Path("/proc"), 1.0)


def test_a_volume_that_is_a_directory_is_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v/file").write_bytes(b"x" * 5000)
    assert disk_usage.volume(tmp_path / "v", 1.0).inodes_used == 2


def test_what_is_mounted_within_is_not_counted() -> None:
    """Of /dev, in which there is a file system of shared memory."""
    below = {entry.name for entry in os.scandir("/dev") if entry.stat().st_dev != Path("/dev").stat().st_dev}
    if not below:
        pytest.skip("nothing is mounted in /dev")
    assert disk_usage.directory(Path("/dev"), 1.0).inodes_used <= len([*Path("/dev").rglob("*")])


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        disk_usage.directory(tmp_path / "none", 1.0)
    with pytest.raises(FileNotFoundError):
        disk_usage.volume(tmp_path / "none", 1.0)
