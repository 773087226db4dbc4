"""How long drivers' calls take, and how they end. Names, buckets and labels are a contract.

Source: pkg/volume/util/metrics.go, csiOperationsLatencyMetric.
"""

from collections.abc import Callable

from pilothouse.runtime.metrics import Metrics

Observe = Callable[[str, str, str, float], None]
"""Told of each call: driver, method, gRPC's word for its end, seconds."""
_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600)


def csi_metrics(metrics: Metrics) -> Observe:
    """Counts what it is told."""
    family = metrics.histogram(
        "csi_operations_seconds",
        "[ALPHA] Container Storage Interface operation duration with gRPC error code status total",
        ("driver_name", "method_name", "grpc_status_code", "migrated"), buckets=_BUCKETS,
    )  # fmt: skip

    def observe(driver: str, method: str, code: str, seconds: float) -> None:
        family.labels(driver, method, code, "false").observe(seconds)

    return observe


def unobserved(_driver: str, _method: str, _code: str, _seconds: float) -> None:
    """Nobody counts."""
