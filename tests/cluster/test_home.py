"""The home: what it accepts, who may read it, and that two commands do not meet in it."""

import stat
from pathlib import Path

import pytest

from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.home import Home, default_home, private_directory, write_private
from pilothouse.cluster.settings import Settings


def test_names_of_two_homes_differ_and_stay(tmp_path: Path) -> None:
    assert Home(tmp_path / "a").cluster == Home(tmp_path / "a").cluster
    assert Home(tmp_path / "a").cluster != Home(tmp_path / "b").cluster
    # "ph-" and the name are the name of a link.
    assert len(f"ph-{Home(tmp_path).cluster}") <= 15


def test_a_directory_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(ClusterError, match="holds something else"):
        Home(tmp_path).check()


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ClusterError, match="is not a directory"):
        Home(tmp_path / "file").check()


def test_a_home_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ClusterError, match=r"cannot be a home \(Not a directory\): name another with --home"),
        Home(tmp_path / "file" / "home").locked(),
    ):
        pass


@pytest.mark.parametrize("method", ["mkdir", "open"])
def test_somebody_elses_home_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(Path, method, refuse)
    with pytest.raises(ClusterError, match="run this as its owner"), Home(tmp_path).locked():
        pass


def test_a_home_that_may_not_be_looked_at_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(ClusterError, match="a directory of your own with --home"):
        Home(tmp_path).check()


def test_a_path_too_long_for_its_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="shorter directory"):
        Home(tmp_path / ("long" * 25)).check()


def test_new_empty_and_used_homes_are_accepted(tmp_path: Path) -> None:
    home = Home(tmp_path / "new")
    home.check()
    home.path.mkdir()
    home.check()
    Settings(port=1).save(home)
    (home.path / "more").touch()
    home.check()


def test_only_one_command_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with home.locked(), pytest.raises(ClusterError, match="another command works"), home.locked():
        pass
    with home.locked():
        pass


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    directory = private_directory(tmp_path / "role")
    write_private(directory / "key", b"one")
    write_private(directory / "key", b"two")
    assert (directory / "key").read_bytes() == b"two"
    assert stat.S_IMODE((directory / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert [each.name for each in directory.iterdir()] == ["key"]


def test_default_homes() -> None:
    assert default_home(root=True, user_home=Path("/root")) == Path("/var/lib/pilothouse")
    assert default_home(root=False, user_home=Path("/home/me")) == Path("/home/me/.local/share/pilothouse")
