"""How often pods are given what they lack, near to each other, and how long that takes.

Names and buckets: pkg/kubelet/metrics/metrics.go.
"""

from collections.abc import Mapping

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import Refusal
from pilothouse.kubelet.counts.buckets import exponential
from pilothouse.kubelet.handout import Handout
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics


class CountedHandout:
    """`Handout` by another."""

    def __init__(self, by: Handout, metrics: Metrics, clock: Clock) -> None:
        self._by = by
        self._clock = clock
        self._asked = metrics.counter(
            "kubelet_topology_manager_admission_requests_total",
            "[ALPHA] The number of admission requests where resources have to be aligned.",
        )
        self._refused = metrics.counter(
            "kubelet_topology_manager_admission_errors_total",
            "[ALPHA] The number of admission request failures where resources could not be aligned.",
        )
        self._milliseconds = metrics.histogram(
            "kubelet_topology_manager_admission_duration_ms",
            "[ALPHA] Duration in milliseconds to serve a pod admission request.", buckets=exponential(0.05, 2, 15),
        )  # fmt: skip

    async def hand_out(self, pod: Pod) -> Refusal | None:
        """Give the pod's containers what they lack; why not."""
        self._asked.inc()
        began = self._clock.monotonic()
        refusal = await self._by.hand_out(pod)
        self._milliseconds.observe(1000 * (self._clock.monotonic() - began))
        if refusal is not None:
            self._refused.inc()
        return refusal

    def known_to(self, pod: Pod, allocatable: Mapping[str, str]) -> Mapping[str, str]:
        """What the node offers, as far as this pod is concerned."""
        return self._by.known_to(pod, allocatable)
