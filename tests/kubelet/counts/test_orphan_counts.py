"""Pods that nobody knows, as metrics have them."""

from pilothouse.kubelet.counts.orphan_counts import OrphanCounts
from pilothouse.runtime.metrics import Metrics


def test_who_stays_is_counted_once() -> None:
    metrics = Metrics()
    counts = OrphanCounts(metrics)
    for met in (["a", "b"], ["b"], [], ["b", "c"]):
        counts.meet(met)
    assert metrics.registry.get_sample_value("kubelet_orphaned_runtime_pods_total") == 4
