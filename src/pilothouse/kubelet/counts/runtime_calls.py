"""Calls of the runtime: how many, how long, how many failed. Source: pkg/kubelet/metrics/cri."""

import re
from collections.abc import Callable
from functools import lru_cache

from pilothouse.kubelet.counts.buckets import DEFAULTS, exponential
from pilothouse.runtime.metrics import Metrics

Observe = Callable[[str, float, bool, str], None]
"""Told of each call: its name, seconds, whether it was answered well, the handler of a sandbox that is begun."""
_OPERATION = ("operation_type",)
_HANDLER = ("runtime_handler",)
_SPECIAL = {"UpdateContainerResources": "update_container"}
_WORD = re.compile("(?<=[a-z])(?=[A-Z])")


class RuntimeCalls:
    """Those of one node."""

    def __init__(self, metrics: Metrics) -> None:
        self._calls = metrics.counter(
            "kubelet_runtime_operations_total", "[ALPHA] Cumulative number of runtime operations by operation type.",
            _OPERATION,
        )  # fmt: skip
        self._errors = metrics.counter(
            "kubelet_runtime_operations_errors_total",
            "[ALPHA] Cumulative number of runtime operation errors by operation type.", _OPERATION,
        )  # fmt: skip
        self._seconds = metrics.histogram(
            "kubelet_runtime_operations_duration_seconds",
            "[ALPHA] Duration in seconds of runtime operations. Broken down by operation type.", _OPERATION,
            buckets=exponential(0.005, 2.5, 14),
        )  # fmt: skip
        self._sandboxes = metrics.histogram(
            "kubelet_run_podsandbox_duration_seconds",
            "[ALPHA] Duration in seconds of the run_podsandbox operations. Broken down by RuntimeClass.Handler.",
            _HANDLER, buckets=DEFAULTS,
        )  # fmt: skip
        self._sandbox_errors = metrics.counter(
            "kubelet_run_podsandbox_errors_total",
            "[ALPHA] Cumulative number of the run_podsandbox operation errors by RuntimeClass.Handler.", _HANDLER,
        )  # fmt: skip

    def observe(self, call: str, seconds: float, good: bool, handler: str) -> None:
        """Count one call."""
        operation = operation_of(call)
        self._calls.labels(operation).inc()
        self._seconds.labels(operation).observe(seconds)
        if not good:
            self._errors.labels(operation).inc()
        if call == "RunPodSandbox":
            self._sandboxes.labels(handler).observe(seconds)
            if not good:
                self._sandbox_errors.labels(handler).inc()


@lru_cache
def operation_of(call: str) -> str:
    """A call as metrics name it: `run_podsandbox` for RunPodSandbox."""
    return _SPECIAL.get(call) or _WORD.sub("_", call.replace("PodSandbox", "Podsandbox")).lower()
