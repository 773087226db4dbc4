"""Which devices a container gets: pure, but that the plugin may be asked in the middle.

Devices of init containers that have ended serve the pod's others. Of the rest, those near the NUMA nodes that were
chosen for the container come first, and the plugin may say which it prefers. Messages are upstream's.
Upstream: devicesToAllocate, filterByAffinity in pkg/kubelet/cm/devicemanager/manager.go.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pilothouse.kubelet.devices.stock import Device


class Unavailable(Exception):
    """A container cannot have what it asks for."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is certain, and what may still be chosen."""

    size: int
    certain: tuple[str, ...]
    offered: tuple[str, ...] = ()
    """Of these the plugin may prefer some."""
    rest: tuple[str, ...] = ()
    """What is taken otherwise, in this order."""

    @property
    def is_open(self) -> bool:
        """Whether there is something to choose."""
        return len(self.certain) < self.size

    def finished(self, preferred: Sequence[str]) -> tuple[str, ...]:
        """As the plugin prefers it, as far as it may. Raises Unavailable."""
        wanted = [name for name in preferred if name in self.offered]
        found = tuple(dict.fromkeys((*self.certain, *wanted, *self.rest)))[: self.size]
        if len(found) < self.size:
            raise Unavailable(
                f"unexpectedly allocated less resources than required. Requested: {self.size}, Got: {len(found)}"
            )
        return found


def check(resource: str, healthy: Collection[str] | None, before: Collection[str]) -> None:
    """Whether there are such devices at all, and those are well that the container had `before`. Raises Unavailable."""
    if healthy is None:
        raise Unavailable(f"cannot allocate unregistered device {resource}")
    if not healthy:
        raise Unavailable(f"no healthy devices present; cannot allocate unhealthy devices {resource}")
    if not set(before) <= set(healthy):
        raise Unavailable(
            f"previously allocated devices are no longer healthy; cannot allocate unhealthy devices {resource}"
        )


def plan_choice(
    resource: str, size: int, reusable: Collection[str], free: Mapping[str, Device],
    near: Collection[int] | None = None,
) -> Choice:  # fmt: skip
    """Choose `size` devices. `near`: the NUMA nodes that the container is bound to. Raises Unavailable."""
    certain = tuple(sorted(reusable))[:size]
    free = {name: device for name, device in sorted(free.items()) if name not in certain}
    missing = size - len(certain)
    if not missing:
        return Choice(size, certain)
    if len(free) < missing:
        raise Unavailable(
            f"requested number of devices unavailable for {resource}. Requested: {missing}, Available: {len(free)}"
        )
    aligned, others = _by_nodes(free.values(), near)
    if missing < len(aligned):
        return Choice(size, certain, aligned, aligned)
    return Choice(size, (*certain, *aligned), tuple(free), others)


def _by_nodes(free: Collection[Device], near: Collection[int] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that are near, and the others: those near other nodes first."""
    if near is None:
        return (), tuple(device.id for device in free)
    aligned = tuple(device.id for device in free if set(device.nodes) & set(near))
    apart = tuple(device.id for device in free if device.nodes and device.id not in aligned)
    return aligned, (*apart, *(device.id for device in free if not device.nodes))
