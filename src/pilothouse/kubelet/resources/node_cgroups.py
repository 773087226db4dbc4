"""The groups that hold all pods, and those of whom room is kept for: what they may use. Pure.

`/ROOT/kubepods` gets what the machine has without what is reserved. Upstream: node_container_manager_linux.go.
"""

from collections.abc import Mapping

from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.reservations import PODS, Reservations
from pilothouse.kubelet.resources.linux import page_name, shares
from pilothouse.linux.cgroups import GroupLimits

CLASSES = ("/burstable", "/besteffort")
"""The groups below it that other pods than guaranteed ones lie in."""
_LEAST_SHARES = 2


def kubepods(root: str) -> str:
    """The group of all pods. `root` is empty, or a group that all of this node lies in."""
    return f"{root.rstrip('/')}/kubepods"


def pods_limits(machine: Machine, most_processes: int, reservations: Reservations) -> GroupLimits:
    """Of all pods together: no quota, but their weight beside the others."""
    keep = reservations if PODS in reservations.enforce else Reservations()
    return GroupLimits(
        cpu_shares=shares(max(machine.cpus * 1000 - keep.of("cpu").milli(), 0)),
        cpu_quota=None,
        memory=max(machine.memory - keep.of("memory").value(), 0),
        pids=max(most_processes - keep.of("pid").value(), 0),
        hugepages={page_name(size): size * count for size, count in machine.hugepages.items()},
    )


def reserved_limits(amounts: Mapping[str, str], *, only_cpu: bool) -> GroupLimits:
    """Of those that room is kept for: what is kept. What is not named stays as it is."""
    found = {name: parse_quantity(text) for name, text in amounts.items()}
    memory, pids = (None if only_cpu else found.get(name) for name in ("memory", "pid"))
    return GroupLimits(
        cpu_shares=shares(found["cpu"].milli()) if "cpu" in found else None,
        cpu_quota=None,
        memory=memory.value() if memory else None,
        pids=pids.value() if pids else None,
    )
