"""Parts of a volume are made as open as the volume, and bound once."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubelet.harness import FakeMounter
from pilothouse.kubelet.environment import ConfigError
from pilothouse.kubelet.sub_path import bind_part


@pytest.fixture
def strict() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    found = tmp_path / "volume"
    found.mkdir()
    return found


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("mode", [0o777, 0o2775, 0o750])
def test_what_is_made_is_as_open_as_its_volume(tmp_path: Path, volume: Path, mode: int) -> None:
    """Whatever the umask: a container of another user shall write there as in the volume itself."""
    volume.chmod(mode)
    bind_part(volume, "a/b", tmp_path / "target", FakeMounter(), "it")
    assert [stat.S_IMODE((volume / made).stat().st_mode) for made in ("a", "a/b")] == [mode, mode]


def test_a_file_is_shown_as_a_file(tmp_path: Path, volume: Path) -> None:
    (volume / "f").write_text("x")
    mounter, target = FakeMounter(), tmp_path / "places/0"
    bind_part(volume, "f", target, mounter, "it")
    assert target.is_file()
    assert mounter.mounted == {target: str(volume / "f")}
    mounter.mounted[target] = "as it was"
    bind_part(volume, "f", target, mounter, "it")
    assert mounter.mounted == {target: "as it was"}


class Refusing(FakeMounter):
    """A kernel that binds nothing."""

    def bind(self, source: Path, target: Path) -> None:
        raise PermissionError("bind")


def test_what_cannot_be_bound_is_said_and_nothing_is_left_open(tmp_path: Path, volume: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(ConfigError, match=r"^failed to prepare subPath for it$"):
        bind_part(volume, "a", tmp_path / "target", Refusing(), "it")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
