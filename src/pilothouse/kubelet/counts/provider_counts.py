"""Programs that give credentials for images. Source: pkg/credentialprovider/plugin/metrics.go."""

from pilothouse.kubelet.counts.buckets import DEFAULTS
from pilothouse.runtime.metrics import Metrics

_NAME = ("plugin_name",)


class ProviderCounts:
    """Those of one node."""

    def __init__(self, metrics: Metrics) -> None:
        self._seconds = metrics.histogram(
            "kubelet_credential_provider_plugin_duration",
            "[ALPHA] Duration of execution in seconds for credential provider plugin", _NAME, buckets=DEFAULTS,
        )  # fmt: skip
        self._errors = metrics.counter(
            "kubelet_credential_provider_plugin_errors_total",
            "[ALPHA] Number of errors from credential provider plugin", _NAME,
        )  # fmt: skip

    def ran(self, name: str, seconds: float, *, good: bool) -> None:
        """One was asked."""
        self._seconds.labels(name).observe(seconds)
        if not good:
            self._errors.labels(name).inc()
