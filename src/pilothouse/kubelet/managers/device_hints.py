"""Near which NUMA nodes plugins have the devices that containers ask for.

Upstream: pkg/kubelet/cm/devicemanager/topology_hints.go.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.containers import is_sidecar, main_and_init
from pilothouse.kubelet.devices.choice import Unavailable as NoDevices
from pilothouse.kubelet.devices.stock import Device, Supply
from pilothouse.kubelet.managers.hints import Hint, Hints, Nodes, Unavailable, possibilities
from pilothouse.kubelet.plugins.unix_client import PluginError


class Supplies(Protocol):
    """Hands out devices."""

    def supplies(self, pod: Pod, container: Container) -> Mapping[str, Supply]:
        """What there is of the resources that a container asks for."""
        ...

    async def give(self, pod: Pod, container: Container) -> None:
        """Give it what it lacks. Raises PluginError, Unavailable, OSError."""
        ...


class NearDevices:
    """Of a machine with these NUMA nodes."""

    def __init__(self, devices: Supplies, nodes: Sequence[int]) -> None:
        self._devices = devices
        self._nodes = nodes

    def hints(self, pod: Pod, container: Container) -> Hints:
        """Where the container may have its devices."""
        supplies = self._devices.supplies(pod, container)
        return {name: possible(self._nodes, one) for name, one in supplies.items() if _matters(one)}

    def pod_hints(self, pod: Pod) -> Hints:
        """Where the pod's containers may have theirs together."""
        each = [(container, self._devices.supplies(pod, container)) for container in main_and_init(pod)]
        return {
            name: possible(self._nodes, together(pod, [(one, some[name]) for one, some in each if name in some]))
            for name in sorted({name for _, some in each for name, one in some.items() if _matters(one)})
        }

    async def allocate(self, pod: Pod, container: Container, affinity: Nodes | None) -> None:  # noqa: ARG002 - they know
        """Have the plugins give them. Raises Unavailable."""
        try:
            await self._devices.give(pod, container)
        except (PluginError, NoDevices, OSError) as error:
            raise Unavailable(str(error)) from error


def possible(nodes: Sequence[int], supply: Supply) -> list[Hint]:
    """Where so many are, whoever has them already having them there."""
    free, reusable = supply.free, supply.reusable
    if supply.held is not None:
        free, reusable = supply.held if len(supply.held) == supply.size else (), ()
    must = [device for device in reusable if device.nodes]

    def now(some: Nodes) -> int:
        """Less than nothing without the devices that the pod has already."""
        return _near(some, (*free, *must)) if all(some.intersection(one.nodes) for one in must) else -1

    return possibilities(nodes, lambda some: _near(some, supply.every), now, supply.size)


def together(pod: Pod, each: Sequence[tuple[Container, Supply]]) -> Supply:
    """What there is of a resource for all containers that ask for it."""
    first, initial = each[0][1], {one.name for one in pod.spec.initContainers}
    sidecars = most = main = 0
    for container, supply in each:
        if container.name not in initial:
            main += supply.size
            continue
        most = max(most, sidecars + supply.size)
        sidecars += supply.size if is_sidecar(container) else 0
    held = {device.id: device for _, supply in each for device in supply.held or ()}
    return Supply(max(most, sidecars + main), first.every, first.free, (), tuple(held.values()) if held else None)


def _matters(supply: Supply) -> bool:
    """Whether any of them is nearer to one node than to another."""
    return any(device.nodes for device in supply.every)


def _near(nodes: Nodes, devices: Iterable[Device]) -> int:
    return sum(bool(nodes.intersection(device.nodes)) for device in devices)
