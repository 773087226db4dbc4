"""Paths of the node."""

import socket
import threading
from pathlib import Path

import pytest

from kubelet.observing import pod
from kubelet.volumes.setting_up import Place, mode
from pilothouse.kubelet.volume import VolumeError
from pilothouse.kubelet.volumes import host_path


def set_up(tmp_path: Path, path: Path, kind: str) -> Path:
    volumes = [{"name": "v", "hostPath": {"path": str(path), "type": kind}}]
    return Place(tmp_path / "node").set_up(pod(volumes=volumes))["v"]


@pytest.fixture
def there(tmp_path: Path) -> Path:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").touch()
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
    return tmp_path


@pytest.mark.parametrize(("name", "kind"), [
    ("directory", ""), ("none", ""), ("directory", "Directory"), ("directory", "DirectoryOrCreate"),
    ("none", "DirectoryOrCreate"), ("none/deep", "DirectoryOrCreate"), ("file", "File"), ("file", "FileOrCreate"),
    ("none", "FileOrCreate"), ("socket", "Socket"),
])  # fmt: skip
def test_what_is_as_the_spec_says(there: Path, name: str, kind: str) -> None:
    assert set_up(there, there / name, kind) == there / name
    assert (there / name).exists() == (name != "none" or kind != "")


@pytest.mark.parametrize(("name", "kind", "message"), [
    ("none", "Directory", "is not a directory"), ("file", "Directory", "is not a directory"),
    ("file", "DirectoryOrCreate", "is not a directory"), ("none", "File", "is not a file"),
    ("directory", "File", "is not a file"), ("directory", "FileOrCreate", "is not a file"),
    ("file", "Socket", "is not a socket file"), ("file", "CharDevice", "is not a character device"),
    ("file", "BlockDevice", "is not a block device"),
])  # fmt: skip
def test_what_is_not(there: Path, name: str, kind: str, message: str) -> None:
    with pytest.raises(VolumeError) as found:
        set_up(there, there / name, kind)
    reason = f"hostPath type check failed: {there / name} {message}"
    assert str(found.value) == f'MountVolume.SetUp failed for volume "v" : {reason}'


def test_a_file_is_made_in_a_directory_that_is_there(there: Path) -> None:
    with pytest.raises(VolumeError, match="No such file or directory"):
        set_up(there, there / "none" / "file", "FileOrCreate")
    assert mode(set_up(there, there / "new", "FileOrCreate")) == 0o644


def test_devices(there: Path) -> None:
    assert set_up(there, Path("/dev/null"), "CharDevice") == Path("/dev/null")


def test_a_server_that_is_gone_holds_up_no_one_else(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    monkeypatch.setattr(host_path, "require", lambda *_: looked.append(threading.get_ident()))
    set_up(there, there, "Directory")
    assert looked
    assert threading.get_ident() not in looked
