"""Hooks that went otherwise than asked for. Source: pkg/kubelet/metrics/metrics.go."""

from pilothouse.runtime.metrics import Metrics


class HookCounts:
    """Those of one node."""

    def __init__(self, metrics: Metrics) -> None:
        self.without_tls = metrics.counter(
            "kubelet_lifecycle_handler_http_fallbacks_total",
            "[ALPHA] The number of times lifecycle handlers successfully fell back to http from https.",
        )
        self.cut_sleeps = metrics.counter(
            "kubelet_sleep_action_terminated_early_total",
            "[ALPHA] The number of times lifecycle sleep handler got terminated before it finishes",
        )
