"""Which pods end in which turn, and how much time each has: pure."""

from collections.abc import Iterable, Sequence

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.shutdown.policy import Period


def grouped(periods: Sequence[Period], pods: Iterable[Pod]) -> list[tuple[Period, list[Pod]]]:
    """The turns that have any pods, in order. `periods` are in the order of their priorities, and there is one.

    Pods below the lowest priority have the lowest period.
    """
    turns: list[list[Pod]] = [[] for _ in periods]
    for pod in pods:
        priority = pod.spec.priority or 0
        reached = [place for place, period in enumerate(periods) if period.priority <= priority]
        turns[reached[-1] if reached else 0].append(pod)
    return [(period, turn) for period, turn in zip(periods, turns, strict=True) if turn]


def grace(pod: Pod, period: Period) -> float:
    """Seconds that it has to end: as many as it asks for, where that is no more than the period has."""
    asked = pod.spec.terminationGracePeriodSeconds
    return float(period.seconds if asked is None else min(asked, period.seconds))
