"""Pods that the node ended for want of something. Source: pkg/kubelet/metrics/metrics.go."""

from pilothouse.kubelet.counts.buckets import DEFAULTS
from pilothouse.runtime.metrics import Metrics

_SIGNAL = ("eviction_signal",)


class EvictionCounts:
    """Those of one node."""

    def __init__(self, metrics: Metrics) -> None:
        self._pods = metrics.tally(
            "kubelet_evictions", "[ALPHA] Cumulative number of pod evictions by eviction signal", _SIGNAL
        )
        self._ages = metrics.histogram(
            "kubelet_eviction_stats_age_seconds",
            "[ALPHA] Time between when stats are collected, and when pod is evicted based on those stats by eviction "
            "signal", _SIGNAL, buckets=DEFAULTS,
        )  # fmt: skip

    def evicted(self, signal: str, age: float) -> None:
        """A pod is ended, for what was seen so many seconds ago."""
        self._pods.labels(signal).inc()
        self._ages.labels(signal).observe(age)
