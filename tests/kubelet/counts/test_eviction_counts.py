"""Evictions under upstream's names."""

from pilothouse.kubelet.counts.eviction_counts import EvictionCounts
from pilothouse.runtime.metrics import Metrics


def test_evictions_and_the_age_of_what_they_are_for() -> None:
    metrics = Metrics()
    EvictionCounts(metrics).evicted("memory.available", 0.3)
    page = metrics.page().decode()
    assert '\nkubelet_evictions{eviction_signal="memory.available"} 1.0\n' in page
    assert 'kubelet_eviction_stats_age_seconds_bucket{eviction_signal="memory.available",le="0.5"} 1.0\n' in page
    assert 'kubelet_eviction_stats_age_seconds_bucket{eviction_signal="memory.available",le="0.25"} 0.0\n' in page
