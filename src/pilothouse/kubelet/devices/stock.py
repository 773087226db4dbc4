"""Which devices the node has, by what plugins have said last: pure.

A plugin that is gone takes the health of its devices along, and five minutes later its devices: then the node has none,
and says so, for schedulers would believe in what it had before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pilothouse.kubelet.devices.table import HEALTHY

GRACE = 300.0
"""Seconds that the devices of a plugin that is gone are still counted."""


@dataclass(frozen=True, slots=True)
class Device:
    """One of a resource."""

    id: str
    health: str = HEALTHY
    nodes: tuple[int, ...] = ()
    """The NUMA nodes that it is near to; none: it does not matter."""

    @property
    def healthy(self) -> bool:
        """Whether a pod may have it."""
        return self.health == HEALTHY


@dataclass(frozen=True, slots=True)
class Supply:
    """What there is of a resource for a container."""

    size: int
    """How many it asks for."""
    every: Sequence[Device]
    free: Sequence[Device]
    reusable: Sequence[Device] = ()
    """Its pod's init containers had them."""
    held: Sequence[Device] | None = None
    """It has them already."""


@dataclass(slots=True)
class _Resource:
    devices: dict[str, Device] = field(default_factory=dict)
    healthy: set[str] = field(default_factory=set)
    lost_at: float | None = None
    """When its plugin went."""


class Stock:
    """Of one node. Times are those of a steady clock."""

    def __init__(self) -> None:
        self._resources: dict[str, _Resource] = {}
        self._former: set[str] = set()

    def expect(self, resource: str, now: float) -> None:
        """An earlier kubelet knew of a plugin for it: there are no devices until that is back."""
        self._resources.setdefault(resource, _Resource(lost_at=now))

    def found(self, resource: str) -> None:
        """There is a plugin; what it has is heard next."""
        if (known := self._resources.get(resource)) is not None:
            known.lost_at = None

    def listed(self, resource: str, devices: Iterable[Device]) -> frozenset[str]:
        """These are all; the ids of those whose health was another one before."""
        by_id, before = {device.id: device for device in devices}, self.devices(resource)
        self._resources[resource] = _Resource(by_id, {device.id for device in by_id.values() if device.healthy})
        self._former.discard(resource)
        return frozenset(name for name, one in by_id.items() if name in before and before[name].health != one.health)

    def lost(self, resource: str, now: float) -> None:
        """The plugin is gone."""
        if (known := self._resources.get(resource)) is not None:
            known.healthy = set()
            known.lost_at = now

    def knows(self, resource: str) -> bool:
        """Whether there is a plugin for it, or was shortly ago."""
        return resource in self._resources

    def devices(self, resource: str) -> Mapping[str, Device]:
        """All of them, by id."""
        known = self._resources.get(resource)
        return known.devices if known is not None else {}

    def healthy(self, resource: str) -> frozenset[str] | None:
        """The ids of those that pods may have; None when there is no plugin."""
        known = self._resources.get(resource)
        return frozenset(known.healthy) if known is not None else None

    def registered(self) -> dict[str, list[str]]:
        """The healthy ones of all resources."""
        return {name: sorted(known.healthy) for name, known in sorted(self._resources.items())}

    def drop_lost(self, now: float) -> bool:
        """Forget those whose plugin has been gone for too long; whether there were any."""
        over = [name for name, known in self._resources.items() if _is_over(known, now)]
        for name in over:
            del self._resources[name]
        self._former.update(over)
        return bool(over)

    def amounts(self) -> tuple[dict[str, str], dict[str, str]]:
        """Capacity and what of it pods may have; nothing of what there was before."""
        none = dict.fromkeys(sorted(self._former), "0")
        known = sorted(self._resources.items())
        capacity = {name: str(len(one.devices)) for name, one in known}
        return none | capacity, none | {name: str(len(one.healthy)) for name, one in known}


def _is_over(known: _Resource, now: float) -> bool:
    return known.lost_at is not None and now - known.lost_at > GRACE
