"""What the scheduler counts, under upstream's names. Upstream: pkg/scheduler/metrics."""

from collections.abc import Callable
from functools import partial

from pilothouse.runtime.metrics import Metrics

_LATENCY = tuple(0.001 * 2**power for power in range(15))
_ATTEMPTS = tuple(float(2**power) for power in range(5))
_VICTIMS = tuple(float(2**power) for power in range(7))
_RESULTS = ("scheduled", "unschedulable", "error")
_PLACES = {"active": "active", "backoff": "backoff", "unschedulable": "waiting", "gated": "gated"}
"""Upstream's names for the places of the queue, and ours."""


class SchedulerMetrics:
    """The metrics of one scheduler."""

    def __init__(self, metrics: Metrics, profile: str, counts: Callable[[], dict[str, int]]) -> None:
        labels = ("result", "profile")
        attempts = "Number of attempts to schedule pods, by the result."
        counted = metrics.counter("scheduler_schedule_attempts_total", attempts, labels)
        latency = "Scheduling attempt latency in seconds (scheduling algorithm + binding)"
        durations = metrics.histogram(
            "scheduler_scheduling_attempt_duration_seconds", latency, labels, buckets=_LATENCY
        )
        self._results = {
            result: (counted.labels(result, profile), durations.labels(result, profile)) for result in _RESULTS
        }
        tries = "Number of attempts to successfully schedule a pod."
        self._tries = metrics.histogram("scheduler_pod_scheduling_attempts", tries, buckets=_ATTEMPTS)
        preemptions = "Total preemption attempts in the cluster till now"
        self._preemptions = metrics.counter("scheduler_preemption_attempts_total", preemptions)
        self._victims = metrics.histogram(
            "scheduler_preemption_victims", "Number of selected preemption victims", buckets=_VICTIMS
        )
        pending = metrics.gauge("scheduler_pending_pods", "Number of pending pods, by the queue type.", ("queue",))
        for name, place in _PLACES.items():
            pending.labels(name).set_function(partial(_count, counts, place))

    def attempted(self, result: str, seconds: float) -> None:
        """A pod was tried: scheduled, unschedulable, or error."""
        count, duration = self._results[result]
        count.inc()
        duration.observe(seconds)

    def scheduled(self, attempts: int) -> None:
        """A pod has its node, after so many attempts."""
        self._tries.observe(attempts)

    def preempting(self) -> None:
        """Room was looked for."""
        self._preemptions.inc()

    def preempted(self, victims: int) -> None:
        """So many pods have to go."""
        self._victims.observe(victims)


def _count(counts: Callable[[], dict[str, int]], place: str) -> float:
    return counts()[place]
