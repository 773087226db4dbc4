"""What is seen of a node: pkg/kubelet/eviction/helpers_test.go, TestMakeSignalObservations."""

from kubelet.starving import DISK, GI, full, levels
from pilothouse.kubelet.eviction.signals import CONDITIONS, MEANINGS, Levels, MemoryLevel, observe


def test_each_signal_has_what_is_left_and_what_there_is() -> None:
    seen = observe(levels(memory=GI, disk=DISK, images=full(0.25, 0.5), pids=3, pods_memory=2 * GI))
    assert {signal: (str(one.available), one.capacity) for signal, one in seen.items()} == {
        "memory.available": ("1Gi", 4 * GI),
        "allocatableMemory.available": ("2Gi", 3 * GI),
        "nodefs.available": ("60Gi", 100 * GI),
        "nodefs.inodesFree": ("900", 1000),
        "imagefs.available": ("25Gi", 100 * GI),
        "imagefs.inodesFree": ("500", 1000),
        "pid.available": ("3", 10),
    }
    assert {*seen} < {*MEANINGS}
    assert {one.condition for one in MEANINGS.values()} == {*CONDITIONS}


def test_of_what_cannot_be_read_nothing_is_said() -> None:
    assert observe(Levels()) == {}


def test_more_than_there_is_leaves_nothing() -> None:
    assert str(observe(Levels(memory=MemoryLevel(5, 6, 7)))["memory.available"].available) == "0"
