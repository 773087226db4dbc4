"""How quickly one pod gets on: from when the kubelet has seen it to its first look at it, and on until it runs.

A pod that ran before this kubelet has seen it counts for no start.
"""

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.counts.pod_counts import PodCounts
from pilothouse.runtime.clock import Clock


class PodPace:
    """Of one pod, which has just been seen."""

    def __init__(self, pod: Pod, counts: PodCounts, clock: Clock) -> None:
        self._counts = counts
        self._clock = clock
        self._seen = clock.monotonic()
        self._last: Pod | None = None
        self._starting = pod.status.phase in ("", "Pending")
        self._began = self._seen
        self._kind = ""

    def begin(self, pod: Pod, *, ending: bool) -> None:
        """A look at the pod begins."""
        self._began = self._clock.monotonic()
        if self._last is None:
            self._counts.first_looks.observe(self._began - self._seen)
            self._counts.sizes.observe(len(pod.spec.containers))
            self._kind = "create"
        else:
            self._kind = "update" if pod is not self._last else "sync"
        if ending:
            self._kind = "kill"
        self._last = pod

    def end(self) -> None:
        """It has ended."""
        self._counts.rounds.labels(self._kind).observe(self._clock.monotonic() - self._began)

    @property
    def starting(self) -> bool:
        """Whether it is to be told of how the pod is: it has not run yet."""
        return self._starting

    def reached(self, pod: Pod) -> None:
        """The pod is so far now."""
        if pod.status.phase in ("", "Pending"):
            return
        self._starting = False
        if pod.status.phase != "Running":
            return
        self._counts.starts.observe(self._clock.monotonic() - self._seen)
        if created := pod.metadata.creationTimestamp:
            self._counts.whole_starts.observe(max(self._clock.now() - created, 0.0))
