"""What happens to pods and their containers."""

from pilothouse.kubelet.counts.buckets import DEFAULTS, STARTS, exponential
from pilothouse.runtime.metrics import Metrics

_KIND = ("container_type",)


class PodCounts:
    """Those of one node."""

    def __init__(self, metrics: Metrics) -> None:
        self.sandboxes = metrics.counter("kubelet_started_pods_total", "[ALPHA] Cumulative number of pods started")
        self.sandbox_errors = metrics.counter(
            "kubelet_started_pods_errors_total", "[ALPHA] Cumulative number of errors when starting pods"
        )
        self.user_sandboxes = metrics.counter(
            "kubelet_started_user_namespaced_pods_total",
            "[ALPHA] Cumulative number of pods with user namespaces started. This metric will only be collected on "
            "Linux.",
        )
        self.user_sandbox_errors = metrics.counter(
            "kubelet_started_user_namespaced_pods_errors_total",
            "[ALPHA] Cumulative number of errors when starting pods with user namespaces. This metric will only be "
            "collected on Linux.",
        )
        self.containers = metrics.counter(
            "kubelet_started_containers_total", "[ALPHA] Cumulative number of containers started", _KIND
        )
        self.container_errors = metrics.counter(
            "kubelet_started_containers_errors_total",
            "[ALPHA] Cumulative number of errors when starting containers", (*_KIND, "code"),
        )  # fmt: skip
        self.sizes = metrics.histogram(
            "kubelet_containers_per_pod_count", "[ALPHA] The number of containers per pod.",
            buckets=exponential(1, 2, 5),
        )  # fmt: skip
        self.first_looks = metrics.histogram(
            "kubelet_pod_worker_start_duration_seconds",
            "[ALPHA] Duration in seconds from kubelet seeing a pod to starting a worker.", buckets=DEFAULTS,
        )  # fmt: skip
        self.rounds = metrics.histogram(
            "kubelet_pod_worker_duration_seconds",
            "[ALPHA] Duration in seconds to sync a single pod. Broken down by operation type: create, update, or sync",
            ("operation_type",), buckets=DEFAULTS,
        )  # fmt: skip
        self.starts = metrics.histogram(
            "kubelet_pod_start_duration_seconds",
            "[ALPHA] Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run",
            buckets=STARTS,
        )  # fmt: skip
        self.whole_starts = metrics.histogram(
            "kubelet_pod_start_total_duration_seconds",
            "[ALPHA] Duration in seconds to start a pod since creation, including time to pull images and run init "
            "containers, measured from pod creation timestamp to when all its containers are reported as started and "
            "observed via watch",
            buckets=STARTS,
        )


def uncounted() -> PodCounts:
    """Nobody reads them."""
    return PodCounts(Metrics())
