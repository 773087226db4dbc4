"""Whether a node is under pressure, and whether something must be done about it: pure, from look to look.

A threshold is met as soon as too little is left, and stays met until there is as much more as is to be reclaimed. It
is due when it has been met for as long as its grace says. The node tells of its pressure at once, and for a while
after: so that pods are not sent to it that it would end again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pilothouse.kubelet.eviction.signals import CONDITIONS, MEANINGS, MEMORY, PODS_MEMORY, Observation
from pilothouse.kubelet.eviction.thresholds import Threshold
from pilothouse.runtime.clock import Instant

Seen = Mapping[str, Observation]
"""By signal."""


@dataclass(frozen=True, slots=True)
class Pressure:
    """What is known after a look."""

    conditions: tuple[str, ...] = ()
    """That the node tells of."""
    due: tuple[Threshold, ...] = ()
    """For which something must be done, the most urgent first."""
    since: Mapping[Threshold, Instant] = field(default_factory=dict)
    """Since when each that is met has been."""
    pressed_at: Mapping[str, Instant] = field(default_factory=dict)
    """When each condition was last seen."""


def look(before: Pressure, thresholds: Sequence[Threshold], seen: Seen, now: Instant, transition: float) -> Pressure:
    """What is known now. `transition` is for how long a condition is told after it was seen."""
    present = dict.fromkeys([*met(thresholds, seen), *met(before.due, seen, reclaimed=True)])
    since = {one: before.since.get(one, now) for one in present}
    pressed_at = {**before.pressed_at, **{MEANINGS[one.signal].condition: now for one in present}}
    told = [kind for kind in CONDITIONS if kind in pressed_at and now - pressed_at[kind] < transition]
    due = [one for one, at in since.items() if now - at >= one.grace]
    return Pressure(tuple(told), tuple(sorted(due, key=_urgency)), since, pressed_at)


def met(thresholds: Iterable[Threshold], seen: Seen, *, reclaimed: bool = False) -> list[Threshold]:
    """Those of which too little is left, or not enough has been reclaimed. What cannot be told is not met."""
    return [
        one
        for one in thresholds
        if (found := seen.get(one.signal)) is not None
        and one.limit(found.capacity, reclaimed=reclaimed) > found.available
    ]


def _urgency(threshold: Threshold) -> int:
    """Memory before all others: the kernel does not wait."""
    return 0 if threshold.signal in (MEMORY, PODS_MEMORY) else 1
