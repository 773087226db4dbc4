"""What is left of this machine, and of groups and file systems that are not there."""

from pathlib import Path

from pilothouse.kubelet.eviction.levels import Gauges
from pilothouse.kubelet.eviction.signals import MemoryLevel
from pilothouse.linux.cgroups import Cgroups


def _cgroups(root: Path) -> Cgroups:
    """Of version 2, with a group of pods."""
    for place, used, idle in ((root, "4096", "96"), (root / "kubepods", "2048", "48")):
        place.mkdir(exist_ok=True)
        (place / "memory.current").write_text(used)
        (place / "memory.stat").write_text(f"anon 1\nfile 2\ninactive_file {idle}\npgfault 0\npgmajfault 0\n")
        (place / "cpu.stat").write_text("usage_usec 1\n")
    return Cgroups({}, root)


def test_each_gauge_is_read(tmp_path: Path) -> None:
    gauges = Gauges(cgroups=_cgroups(tmp_path), memory=9000, kubepods="/kubepods", pods_memory=8000, disk=tmp_path,
                    images=tmp_path)  # fmt: skip
    found = gauges.read()
    assert found.memory == MemoryLevel(9000, 4000, 4096)
    assert found.pods_memory == MemoryLevel(8000, 2000, 2048)
    assert found.disk is not None
    assert found.disk.size > found.disk.available > 0
    assert found.images == found.disk
    assert found.processes is not None
    assert not gauges.images_apart


def test_of_what_is_not_there_nothing_is_said(tmp_path: Path) -> None:
    gauges = Gauges(cgroups=Cgroups({}, None), memory=9000, kubepods="/kubepods", pods_memory=0, disk=tmp_path / "no",
                    images=Path("/proc"))  # fmt: skip
    found = gauges.read()
    assert (found.memory, found.pods_memory, found.disk) == (None, None, None)
    assert not gauges.images_apart


def test_images_may_lie_apart(tmp_path: Path) -> None:
    gauges = Gauges(cgroups=Cgroups({}, None), memory=1, kubepods="", pods_memory=0, disk=tmp_path,
                    images=Path("/proc"))  # fmt: skip
    assert gauges.images_apart
