"""What a row of answers amounts to: pure. A verdict changes only after as many equal answers as the thresholds ask.

Before the first verdict a container is taken as alive, not ready, and neither started nor failed to start. A failed
liveness probe and either verdict of a startup probe are final for the run of the container. API page: "Liveness,
Readiness, and Startup Probes"; timing and thresholds as upstream's pkg/kubelet/prober/worker.go.
"""

from dataclasses import dataclass, replace
from enum import Enum

from pilothouse.api.types.core_v1 import Container, Probe

_EARLY = 0.05
"""Seconds by which a timer may come before its time on the wall clock."""


class Kind(Enum):
    """What is probed, as messages name it."""

    STARTUP = "Startup"
    READINESS = "Readiness"
    LIVENESS = "Liveness"

    def of(self, container: Container) -> Probe:
        """The container's probe of this kind; a false one where it has none."""
        match self:
            case Kind.STARTUP:
                return container.startupProbe
            case Kind.READINESS:
                return container.readinessProbe
        return container.livenessProbe


@dataclass(frozen=True, slots=True)
class Tally:
    """The answers to one probe of one run of a container."""

    kind: Kind
    verdict: bool | None
    """What counts now."""
    last: bool | None = None
    row: int = 0
    """How many times in a row the last answer came."""
    final: bool = False
    """No more questions."""


def initial(kind: Kind) -> Tally:
    """Before the first answer."""
    return Tally(kind, {Kind.STARTUP: None, Kind.READINESS: False, Kind.LIVENESS: True}[kind])


def remembered(kind: Kind, *, started: bool, ready: bool) -> Tally:
    """Before the first answer, of a container that ran before the kubelet did: what was reported of it stays."""
    match kind:
        case Kind.STARTUP if started:
            return Tally(kind, True, final=True)
        case Kind.READINESS:
            return Tally(kind, ready)
    return initial(kind)


def after(tally: Tally, probe: Probe, success: bool) -> Tally:
    """With one more answer."""
    row = tally.row + 1 if tally.last is success else 1
    counted = replace(tally, last=success, row=row)
    if row < ((probe.successThreshold or 1) if success else (probe.failureThreshold or 3)):
        return counted
    final = tally.kind is Kind.STARTUP or (tally.kind is Kind.LIVENESS and not success)
    return replace(counted, verdict=success, final=final)


def is_due(kind: Kind, probe: Probe, running_for: float, *, started: bool) -> bool:
    """Whether to ask at all: after the initial delay, and once the container has started, unless that is asked."""
    if running_for + _EARLY < (probe.initialDelaySeconds or 0):
        return False
    return started or kind is Kind.STARTUP


def following(tick: float, now: float, period: float) -> float:
    """The tick after `tick`. Of those that have passed meanwhile one is made up for."""
    missed = int(max(now - (tick + period), 0.0) // period)
    return tick + period * (1 + missed)
