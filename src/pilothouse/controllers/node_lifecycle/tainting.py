"""Tainting: the taints that a node should have for what its conditions say.

With effect NoSchedule every condition counts, at once; with NoExecute, which evicts, only Ready does, and in its turn.
"""

from collections.abc import Iterable, Mapping, Sequence

from pilothouse.api.machinery.conditions import FALSE, TRUE, UNKNOWN
from pilothouse.api.machinery.taints import (
    DISK_PRESSURE,
    MEMORY_PRESSURE,
    NETWORK_UNAVAILABLE,
    NO_EXECUTE,
    NO_SCHEDULE,
    NOT_READY,
    PID_PRESSURE,
    UNREACHABLE,
    UNSCHEDULABLE,
)
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node
from pilothouse.runtime.clock import Instant, format_time

Mark = tuple[str, str]
"""A taint's key and effect, which make it what it is."""

_BY_CONDITION: Mapping[tuple[str, str], str] = {
    ("Ready", FALSE): NOT_READY,
    ("Ready", UNKNOWN): UNREACHABLE,
    ("MemoryPressure", TRUE): MEMORY_PRESSURE,
    ("DiskPressure", TRUE): DISK_PRESSURE,
    ("NetworkUnavailable", TRUE): NETWORK_UNAVAILABLE,
    ("PIDPressure", TRUE): PID_PRESSURE,
}
_OURS = (*_BY_CONDITION.values(), UNSCHEDULABLE)
_EVICTING: Mapping[str, str] = {FALSE: NOT_READY, UNKNOWN: UNREACHABLE}
LABELS = (("kubernetes.io/os", "beta.kubernetes.io/os"), ("kubernetes.io/arch", "beta.kubernetes.io/arch"))
"""Stable labels, and the older ones that say the same."""


def wanted_schedule_marks(node: Node) -> list[Mark]:
    """What should keep new pods away."""
    keys = [_BY_CONDITION.get((found.type, found.status), "") for found in node.status.conditions]
    if node.spec.unschedulable:
        keys.append(UNSCHEDULABLE)
    return [(key, NO_SCHEDULE) for key in keys if key]


def schedule_changes(node: Node) -> tuple[list[Mark], list[Mark]]:
    """The NoSchedule taints to add, and those of ours to remove."""
    wanted = wanted_schedule_marks(node)
    present = [mark for mark in marks(node) if mark[1] == NO_SCHEDULE and mark[0] in _OURS]
    return [mark for mark in wanted if mark not in present], [mark for mark in present if mark not in wanted]


def evicting_changes(node: Node, status: str) -> tuple[list[Mark], list[Mark]]:
    """The NoExecute taint to add for a Ready condition of this status, and the one to remove."""
    key = _EVICTING.get(status, "")
    present = [mark for mark in marks(node) if mark[1] == NO_EXECUTE and mark[0] in _EVICTING.values()]
    wanted = [(key, NO_EXECUTE)] if key else []
    return [mark for mark in wanted if mark not in present], [mark for mark in present if mark not in wanted]


def marks(node: Node) -> list[Mark]:
    """The taints that a node has."""
    return [(taint.key, taint.effect) for taint in node.spec.taints]


def changed_taints(node: Node, add: Sequence[Mark], remove: Iterable[Mark], now: Instant) -> list[JsonObject] | None:
    """The node's taints with these added and removed; None where that changes nothing."""
    gone, present = {*remove}, marks(node)
    kept = [dict(taint.raw) for taint in node.spec.taints if (taint.key, taint.effect) not in gone]
    fresh = [mark for mark in add if mark not in present]
    if not fresh and len(kept) == len(present):
        return None
    return kept + [{"key": key, "effect": effect, "timeAdded": format_time(now)} for key, effect in fresh]


def label_changes(node: Node) -> dict[str, str]:
    """The older labels that should say what the stable ones say."""
    labels = node.metadata.labels
    return {old: labels[new] for new, old in LABELS if new in labels and labels.get(old) != labels[new]}
