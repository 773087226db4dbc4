"""Zones: how fast nodes may be evicted where many fail at once.

When a whole zone is silent it is more likely the network than the nodes; when all zones are, nobody is evicted. Each
zone has a queue of nodes to be tainted, which lets through so many a second.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pilothouse.api.types.core_v1 import Node
from pilothouse.controllers.node_lifecycle.settings import NodeLifecycleSettings
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.rate_limit import TokenBucket

EXCLUDED = "node.kubernetes.io/exclude-disruption"
_REGION, _ZONE = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"
_OLD_REGION, _OLD_ZONE = "failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone"
_FEWEST = 2
"""So many nodes may be not ready without its being a disruption."""


class ZoneState(enum.Enum):
    """How a zone is."""

    INITIAL = "Initial"
    NORMAL = "Normal"
    PARTIAL = "PartialDisruption"
    FULL = "FullDisruption"


class Turn(enum.Enum):
    """What becomes of the whole cluster."""

    NONE = "none"
    STOP = "stop"
    """Nobody is ready any more: evict nobody."""
    RESUME = "resume"
    """Somebody is ready again: count everybody's silence from now."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """How the zones are now."""

    states: Mapping[str, ZoneState]
    turn: Turn


def zone_of(node: Node) -> str:
    """The name of a node's zone, by region and zone; empty where it has neither."""
    labels = node.metadata.labels
    zone = labels.get(_ZONE) or labels.get(_OLD_ZONE) or ""
    region = labels.get(_REGION) or labels.get(_OLD_REGION) or ""
    return f"{region}/{zone}" if region or zone else ""


def zone_state(ready: Sequence[bool], unhealthy_share: float) -> ZoneState:
    """How a zone is whose nodes are ready or not."""
    failing = ready.count(False)
    if failing and failing == len(ready):
        return ZoneState.FULL
    if failing > _FEWEST and failing / len(ready) >= unhealthy_share:
        return ZoneState.PARTIAL
    return ZoneState.NORMAL


def look_out(before: Mapping[str, ZoneState], ready: Mapping[str, Sequence[bool]], unhealthy_share: float) -> Outlook:
    """How the zones are, given how they were. `ready` has the nodes of each zone."""
    now = {zone: zone_state(nodes, unhealthy_share) for zone, nodes in ready.items()}
    was_full = all(before.get(zone, ZoneState.INITIAL) is ZoneState.FULL for zone in now)
    is_full = all(state is ZoneState.FULL for state in now.values())
    if was_full is is_full:
        return Outlook(now, Turn.NONE)
    return Outlook(now, Turn.STOP if is_full else Turn.RESUME)


def eviction_rate(state: ZoneState, size: int, settings: NodeLifecycleSettings) -> float:
    """Nodes a second in a zone of `size` nodes, while not every zone is fully disrupted."""
    if state is not ZoneState.PARTIAL:
        return settings.eviction_rate
    return settings.secondary_eviction_rate if size > settings.large_zone else 0.0


class ZoneQueue:
    """The nodes of a zone that wait to be tainted, in turn."""

    def __init__(self, rate: float, clock: Clock) -> None:
        self._clock = clock
        self._rate = rate
        self._bucket = TokenBucket(rate, 1, clock)
        self._waiting: dict[str, None] = {}

    @property
    def rate(self) -> float:
        """Nodes a second."""
        return self._rate

    def set_rate(self, rate: float) -> None:
        """Change the rate. Whoever has just had a turn gives none away by it."""
        if rate == self._rate:
            return
        spent = self._rate > 0 and not self._bucket.take()
        self._rate = rate
        if rate > 0:
            self._bucket = TokenBucket(rate, 1, self._clock)
            if spent:
                self._bucket.take()

    def add(self, name: str) -> None:
        """Put a node in line, unless it is there."""
        self._waiting.setdefault(name)

    def remove(self, name: str) -> None:
        """It need not wait any more."""
        self._waiting.pop(name, None)

    def next(self) -> str | None:
        """The node whose turn it is now, which leaves the line."""
        if not self._waiting or self._rate <= 0 or not self._bucket.take():
            return None
        name = next(iter(self._waiting))
        del self._waiting[name]
        return name

    def again(self) -> float | None:
        """After how many seconds to ask again; None while there is nothing to wait for."""
        return 1 / self._rate / 10 if self._waiting and self._rate > 0 else None
