"""Holds all pods together to what is left of the machine, and those that it is kept for to theirs.

A limit below what is used already would have the kernel kill: it waits until there is room. Upstream:
pkg/kubelet/cm/node_container_manager_linux.go; a node there does not start when what is reserved cannot be limited.
"""

from collections.abc import Callable

from pilothouse.kubelet.machine import Machine, Processes
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.kubelet.reservations import KUBE, KUBE_CPU, SYSTEM, SYSTEM_CPU, Reservations
from pilothouse.kubelet.resources.node_cgroups import CLASSES, kubepods, pods_limits, reserved_limits
from pilothouse.linux.cgroup_usage import usage
from pilothouse.linux.cgroups import Cgroups, GroupLimits

PERIOD = 60.0
"""Seconds until what could not be limited is tried again."""
Tell = Callable[[str, str, str], None]
"""Makes an event of kind, reason and message."""
_FAILED = "FailedNodeAllocatableEnforcement"
_DONE = "NodeAllocatableEnforced"


class NodeAllocatable(Part):
    """Once at the start."""

    name = "node allocatable"
    early = True  # static pods are held to it as well

    async def run(self, node: NodeContext) -> None:
        """Set the limits."""
        name, services = node.config.node_name, node.services
        cgroups, group = services.hierarchies, kubepods(node.config.cgroup_root)

        def tell(kind: str, reason: str, message: str) -> None:
            services.recorder.event({"kind": "Node", "name": name, "uid": name}, kind, reason, message)

        limits = pods_limits(Machine.read(), Processes.read().most, node.config.reservations)
        limit_reserved(cgroups, node.config.reservations, tell)
        while not limit_pods(cgroups, group, limits, tell):
            await services.clock.sleep(PERIOD)


def limit_pods(cgroups: Cgroups, group: str, limits: GroupLimits, tell: Tell) -> bool:
    """Have the groups that pods lie in, with limits for all of them together; whether it could be done."""
    try:
        for below in CLASSES:
            cgroups.create(f"{group}{below}")
        _limit(cgroups, group, limits)
    except OSError as error:
        words = " ".join(f'"{word}"' for word in group.strip("/").split("/"))
        tell("Warning", _FAILED, f"Failed to update Node Allocatable Limits [{words}]: {error}")
        return False
    tell("Normal", _DONE, "Updated Node Allocatable limit across pods")
    return True


def limit_reserved(cgroups: Cgroups, reservations: Reservations, tell: Tell) -> None:
    """Limit those that room is kept for, as far as is asked for."""
    asked = (
        ("System Reserved", SYSTEM, SYSTEM_CPU, reservations.system_cgroup, reservations.system),
        ("Kube Reserved", KUBE, KUBE_CPU, reservations.kube_cgroup, reservations.kube),
    )
    for title, whole, only_cpu, group, amounts in asked:
        if whole not in reservations.enforce and only_cpu not in reservations.enforce:
            continue
        try:
            if not cgroups.exists(group):
                raise FileNotFoundError(f'"{group}" cgroup does not exist')
            _limit(cgroups, group, reserved_limits(amounts, only_cpu=whole not in reservations.enforce))
        except OSError as error:
            tell("Warning", _FAILED, f'Failed to enforce {title} Cgroup Limits on "{group}": {error}')
        else:
            tell("Normal", _DONE, f"Updated limits on {title.lower()} cgroup {group}")


def _limit(cgroups: Cgroups, group: str, limits: GroupLimits) -> None:
    used = usage(cgroups, group)
    if limits.memory and used is not None and used.memory > limits.memory:
        raise BlockingIOError(f"unable to set memory limit to {limits.memory} (current usage: {used.memory})")
    cgroups.limit(group, limits)
