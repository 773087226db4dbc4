"""What the kernel is told of thresholds. Upstream: memory_threshold_notifier_test.go."""

import asyncio
import os
from pathlib import Path

import pytest

from kubelet.starving import GI, MI, levels
from pilothouse.kubelet.eviction.notices import Notices, use_at
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.eviction.signals import Levels, MemoryLevel
from pilothouse.kubelet.reservations import Reservations

POLICY = EvictionPolicy(hard={"memory.available": "1Gi", "pid.available": "1"})


@pytest.mark.parametrize(
    ("text", "level", "expected"),
    [
        ("1Gi", MemoryLevel(4 * GI, GI, GI + 5 * MI), 3 * GI + 5 * MI),
        ("50%", MemoryLevel(4 * GI, GI, GI), 2 * GI),
    ],
)
def test_it_is_met_when_so_much_is_used_in_all(text: str, level: MemoryLevel, expected: int) -> None:
    (threshold,) = EvictionPolicy(hard={"memory.available": text}).thresholds()
    assert use_at(threshold, level) == expected


def _open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


def _group(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    for name in ("memory.usage_in_bytes", "cgroup.event_control"):
        (path / name).touch()
    return path


def test_each_look_tells_the_kernel_anew(tmp_path: Path) -> None:
    async def main() -> None:
        whole, pods, called = _group(tmp_path), _group(tmp_path / "kubepods"), asyncio.Event()

        def limits() -> list[int]:
            return [int((place / "cgroup.event_control").read_text().split()[2]) for place in (whole, pods)]

        with Notices(POLICY.thresholds(Reservations()), whole, pods, called.set) as notices:
            notices.renew(Levels())
            assert (whole / "cgroup.event_control").read_text() == ""
            notices.renew(levels(memory=2 * GI, pods_memory=GI))
            assert limits() == [5 * GI, 3 * GI]
            opened = _open_files()
            notices.renew(levels(memory=GI, pods_memory=GI))
            assert limits() == [4 * GI, 3 * GI]
            assert _open_files() == opened
            os.eventfd_write(int((pods / "cgroup.event_control").read_text().split()[0]), 1)
            await called.wait()
        assert _open_files() == opened - 2

    asyncio.run(main())


def test_without_the_kernels_files_there_is_no_call_and_no_harm(tmp_path: Path) -> None:
    async def main() -> None:
        with Notices(POLICY.thresholds(), tmp_path, tmp_path, lambda: None) as notices:
            notices.renew(levels())

    asyncio.run(main())
