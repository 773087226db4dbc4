"""What all pods together may use, as upstream's node_container_manager_linux_test.go has it."""

import pytest

from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.reservations import Reservations
from pilothouse.kubelet.resources.node_cgroups import kubepods, pods_limits, reserved_limits
from pilothouse.linux.cgroups import GroupLimits

MACHINE = Machine(4, 8 << 30, {2 << 20: 16, 1 << 30: 0}, "m", "u", "b", "6.1", "Debian", "amd64")
PAGES = {"2MB": 32 << 20, "1GB": 0}
KEPT = Reservations(kube={"cpu": "500m", "memory": "1Gi", "pid": "1000"}, system={"memory": "1Gi"})
UNENFORCED = Reservations(kube={"cpu": "1", "memory": "1Gi"}, enforce=("none",))


@pytest.mark.parametrize(("reservations", "expected"), [
    (Reservations(), GroupLimits(4096, None, memory=8 << 30, pids=32_768, hugepages=PAGES)),
    (KEPT, GroupLimits(3584, None, memory=6 << 30, pids=31_768, hugepages=PAGES)),
    (UNENFORCED, GroupLimits(4096, None, memory=8 << 30, pids=32_768, hugepages=PAGES)),
])  # fmt: skip
def test_all_pods_together(reservations: Reservations, expected: GroupLimits) -> None:
    assert pods_limits(MACHINE, 32_768, reservations) == expected


@pytest.mark.parametrize(("amounts", "only_cpu", "expected"), [
    ({"cpu": "500m", "memory": "1Gi", "pid": "10"}, False, GroupLimits(512, None, memory=1 << 30, pids=10)),
    ({"cpu": "500m", "memory": "1Gi", "pid": "10"}, True, GroupLimits(512, None, memory=None, pids=None)),
    ({"memory": "1Gi"}, False, GroupLimits(None, None, memory=1 << 30, pids=None)),
    ({}, False, GroupLimits(None, None, memory=None, pids=None)),
])  # fmt: skip
def test_those_that_room_is_kept_for(amounts: dict[str, str], only_cpu: bool, expected: GroupLimits) -> None:
    assert reserved_limits(amounts, only_cpu=only_cpu) == expected


@pytest.mark.parametrize(("root", "expected"), [("", "/kubepods"), ("/", "/kubepods"), ("/mine", "/mine/kubepods")])
def test_where_pods_are(root: str, expected: str) -> None:
    assert kubepods(root) == expected
