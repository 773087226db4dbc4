"""Conditions: the list of typed true/false/unknown statements in a status.

Works on literals, before they are sent. The rule that clients rely on: `lastTransitionTime` changes when `status`
does, and only then. Source: apimachinery/pkg/api/meta/conditions.go and the API conventions, "Typical status
properties".
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant, format_time

TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"


class HasStatus(Protocol):
    """A view of a condition."""

    @property
    def type(self) -> str:
        """Which statement this is."""
        ...

    @property
    def status(self) -> str:
        """True, False or Unknown."""
        ...


def find(conditions: Iterable[Mapping[str, Any]], kind: str) -> Mapping[str, Any] | None:
    """The condition of this type, None where there is none."""
    return next((condition for condition in conditions if condition.get("type") == kind), None)


def is_true(conditions: Iterable[Mapping[str, Any]], kind: str) -> bool:
    """Whether the condition is there and True."""
    return has_status(conditions, kind, TRUE)


def has_status(conditions: Iterable[Mapping[str, Any]], kind: str, status: str) -> bool:
    """Whether the condition is there with this status."""
    found = find(conditions, kind)
    return found is not None and found.get("status") == status


def holds(conditions: Iterable[HasStatus], kind: str, status: str = TRUE) -> bool:
    """The same question to views."""
    return any(condition.type == kind and condition.status == status for condition in conditions)


def condition(
    kind: str,
    status: str | bool,
    reason: str = "",
    message: str = "",
    *,
    observed_generation: int | None = None,
) -> JsonObject:
    """A literal without times, for `set_condition`. Empty reason and message are left out."""
    made: JsonObject = {"type": kind, "status": status if isinstance(status, str) else TRUE if status else FALSE}
    if reason:
        made["reason"] = reason
    if message:
        made["message"] = message
    if observed_generation is not None:
        made["observedGeneration"] = observed_generation
    return made


def set_condition(conditions: list[JsonObject], new: JsonObject, now: Instant) -> bool:
    """Put `new` in the place of the condition of its type, or at the end. Returns whether anything changed.

    The time of the last transition is kept where the status stays, else it is that of `new`, or `now`. Fields that
    `new` does not name are dropped, except times.
    """
    for position, old in enumerate(conditions):
        if old.get("type") != new["type"]:
            continue
        merged = {**new, "lastTransitionTime": _transition(old, new, now)}
        for name in ("lastProbeTime", "lastUpdateTime", "lastHeartbeatTime"):
            if name in old:
                merged.setdefault(name, old[name])
        if merged == old:
            return False
        conditions[position] = merged
        return True
    conditions.append({**new, "lastTransitionTime": new.get("lastTransitionTime") or format_time(now)})
    return True


def remove_condition(conditions: list[JsonObject], kind: str) -> bool:
    """Take out the condition of this type. Returns whether it was there."""
    kept = [found for found in conditions if found.get("type") != kind]
    removed = len(kept) != len(conditions)
    conditions[:] = kept
    return removed


def _transition(old: JsonObject, new: JsonObject, now: Instant) -> Any:
    if old.get("status") == new.get("status") and old.get("lastTransitionTime"):
        return old["lastTransitionTime"]
    return new.get("lastTransitionTime") or format_time(now)
