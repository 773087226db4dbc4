"""The cgroups of pods, and how long the kernel takes over them. Names and buckets: pkg/kubelet/metrics/metrics.go."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.counts.buckets import DEFAULTS
from pilothouse.kubelet.resources.pod_cgroups import KernelPodCgroups
from pilothouse.linux.cgroups import Cgroups
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics


class CountedPodCgroups(KernelPodCgroups):
    """Of one node."""

    def __init__(
        self, cgroups: Cgroups, root: str, pids_limit: int, page_sizes: Sequence[int], metrics: Metrics, clock: Clock
    ) -> None:
        super().__init__(cgroups, root, pids_limit, page_sizes)
        self._clock = clock
        self._seconds = metrics.histogram(
            "kubelet_cgroup_manager_duration_seconds",
            "[ALPHA] Duration in seconds for cgroup manager operations. Broken down by method.", ("operation_type",),
            buckets=DEFAULTS,
        )  # fmt: skip

    @contextmanager
    def _timed(self, operation: str) -> Iterator[None]:
        began = self._clock.monotonic()
        try:
            yield
        finally:
            self._seconds.labels(operation).observe(self._clock.monotonic() - began)

    def create(self, pod: Pod) -> None:
        """Have the pod's group with its limits."""
        with self._timed("create"):
            super().create(pod)

    def resize(self, pod: Pod, *, grow: bool) -> None:
        """Change the limits of the pod's group."""
        with self._timed("update"):
            super().resize(pod, grow=grow)

    def remove(self, pod: Pod) -> bool:
        """Take it away."""
        with self._timed("destroy"):
            return super().remove(pod)
