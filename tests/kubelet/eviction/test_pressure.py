"""Pressure from look to look. Upstream: eviction_manager_test.go, TestMemoryPressure, TestMinReclaim and others."""

import pytest

from kubelet.starving import MI, full, levels
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.eviction.pressure import Pressure, look
from pilothouse.kubelet.eviction.signals import Levels, observe
from pilothouse.kubelet.machine import Disk

FINE, LOW, LOWER = levels(), levels(memory=1500 * MI), levels(memory=900 * MI)
POLICY = EvictionPolicy(
    hard={"memory.available": "1Gi"}, soft={"memory.available": "2Gi"}, soft_grace={"memory.available": 120},
    minimum_reclaim={"memory.available": "500Mi"},
)  # fmt: skip


def _story(policy: EvictionPolicy, *looks: tuple[float, Levels]) -> list[tuple[list[str], list[str]]]:
    """Conditions and limits of what is due, look by look."""
    pressure, told = Pressure(), []
    for at, seen in looks:
        pressure = look(pressure, policy.thresholds(), observe(seen), at, policy.transition)
        told.append(([*pressure.conditions], [f"{one.signal}<{one.limit(0)}" for one in pressure.due]))
    return told


NOTHING: tuple[list[str], list[str]] = ([], [])
PRESSED: tuple[list[str], list[str]] = (["MemoryPressure"], [])
PLENTY = levels(memory=3000 * MI)


def test_a_soft_one_is_due_after_its_grace_and_a_hard_one_at_once() -> None:
    assert _story(POLICY, (0, PLENTY), (10, LOW), (100, LOW), (129, LOW), (130, LOW), (140, LOWER)) == [
        NOTHING, PRESSED, PRESSED, PRESSED,
        (["MemoryPressure"], ["memory.available<2Gi"]),
        (["MemoryPressure"], ["memory.available<1Gi", "memory.available<2Gi"]),
    ]  # fmt: skip


def test_a_soft_one_that_was_over_meanwhile_begins_anew() -> None:
    found = _story(POLICY, (0, LOW), (60, PLENTY), (70, LOW), (130, LOW), (190, LOW))
    assert [due for _, due in found] == [[], [], [], [], ["memory.available<2Gi"]]


def test_what_is_due_stays_so_until_enough_is_reclaimed() -> None:
    hard = EvictionPolicy(hard={"memory.available": "1Gi"}, minimum_reclaim={"memory.available": "500Mi"})
    found = _story(hard, (0, levels(memory=1023 * MI)), (10, levels(memory=1523 * MI)), (20, levels(memory=1524 * MI)))
    assert [due for _, due in found] == [["memory.available<1Gi"], ["memory.available<1Gi"], []]
    assert _story(hard, (0, levels(memory=1100 * MI))) == [NOTHING]


def test_the_node_tells_of_it_for_five_minutes_more() -> None:
    hard = EvictionPolicy(hard={"memory.available": "1Gi"})
    found = _story(hard, (0, LOWER), (10, LOWER), (309, PLENTY), (310, PLENTY))
    assert [told for told, _ in found] == [["MemoryPressure"], ["MemoryPressure"], ["MemoryPressure"], []]
    short = EvictionPolicy(hard={"memory.available": "1Gi"}, transition=0)
    assert _story(short, (0, LOWER)) == [([], ["memory.available<1Gi"])]


@pytest.mark.parametrize(
    ("seen", "conditions", "due"),
    [
        (levels(disk=full(0.0999)), ["DiskPressure"], ["nodefs.available"]),
        (levels(disk=full(0.5, 0.049)), ["DiskPressure"], ["nodefs.inodesFree"]),
        (levels(images=full(0.1499)), ["DiskPressure"], ["imagefs.available"]),
        (levels(images=full(0.5, 0.049)), ["DiskPressure"], ["imagefs.inodesFree"]),
        (levels(pids=1), ["PIDPressure"], ["pid.available"]),
        (levels(memory=100 * MI), [], []),
        (levels(memory=99 * MI, disk=full(0), images=full(0), pids=0),
         ["MemoryPressure", "DiskPressure", "PIDPressure"],
         ["memory.available", "nodefs.available", "imagefs.available", "pid.available"]),
        # File systems without a fixed number of inodes say that they have none.
        (levels(disk=Disk(100, 60, 0, 0)), [], []),
        (Levels(), [], []),
    ],
)  # fmt: skip
def test_which_conditions_and_what_is_most_urgent(seen: Levels, conditions: list[str], due: list[str]) -> None:
    policy = EvictionPolicy(hard={"pid.available": "20%"}, merge_defaults=True)
    found = look(Pressure(), policy.thresholds(), observe(seen), 0.0, policy.transition)
    assert [*found.conditions] == conditions
    assert [one.signal for one in found.due] == due


def test_memory_is_the_most_urgent_wherever_it_is_named() -> None:
    policy = EvictionPolicy(hard={"nodefs.available": "10%", "memory.available": "1Gi"})
    found = look(Pressure(), policy.thresholds(), observe(levels(memory=0, disk=full())), 0.0, policy.transition)
    assert [one.signal for one in found.due] == ["memory.available", "nodefs.available"]
