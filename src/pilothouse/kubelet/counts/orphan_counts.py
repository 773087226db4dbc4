"""What was found of pods that nobody knows. Source: pkg/kubelet/metrics/metrics.go, kubelet_volumes.go."""

from collections.abc import Iterable

from pilothouse.runtime.metrics import Metrics


class OrphanCounts:
    """Those of one node."""

    def __init__(self, metrics: Metrics) -> None:
        self._pods = metrics.counter(
            "kubelet_orphaned_runtime_pods_total",
            "[ALPHA] Number of pods that have been detected in the container runtime without being already known to "
            "the pod worker. This typically indicates the kubelet was restarted while a pod was force deleted in the "
            "API or in the local configuration, which is unusual.",
        )
        self.cleaned = metrics.gauge(
            "kubelet_orphan_pod_cleaned_volumes",
            "[ALPHA] The total number of orphaned Pods whose volumes were cleaned in the last periodic sweep.",
        )
        self.not_cleaned = metrics.gauge(
            "kubelet_orphan_pod_cleaned_volumes_errors",
            "[ALPHA] The number of orphaned Pods whose volumes failed to be cleaned in the last periodic sweep.",
        )
        self._met: frozenset[str] = frozenset()

    def meet(self, uids: Iterable[str]) -> None:
        """The runtime has these pods. One that does not go at once is counted once."""
        found = frozenset(uids)
        self._pods.inc(len(found - self._met))
        self._met = found
