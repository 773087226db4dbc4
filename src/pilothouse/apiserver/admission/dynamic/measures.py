"""How often policies are asked, with which outcome, and how long it takes, under upstream's names.

Source: apiserver/pkg/admission/plugin/policy/{validating,mutating}/metrics/metrics.go, errors.go beside them.
"""

from pilothouse.runtime.metrics import Metrics

_SECONDS = (0.0000005, 0.001, 0.01, 0.1, 1.0)
_SPENT = "validation failed due to running out of cost budget"


class Measures:
    """The numbers of one kind of policy."""

    def __init__(self, metrics: Metrics, kind: str, *labels: str) -> None:
        names = ("policy", "policy_binding", "error_type", *labels)
        self._checks = metrics.counter(
            f"apiserver_{kind}_admission_policy_check_total", "Expressions of policies that were evaluated.", names
        )
        self._seconds = metrics.histogram(
            f"apiserver_{kind}_admission_policy_check_duration_seconds",
            "How long an expression of a policy took.",
            names,
            buckets=_SECONDS,
        )

    def observe(self, seconds: float, *labels: str) -> None:
        """Note one; the labels in their order."""
        self._checks.labels(*labels).inc()
        self._seconds.labels(*labels).observe(seconds)


def error_type(message: str) -> str:
    """What sort of failure a message tells of."""
    if message.startswith("compilation"):
        return "compile_error"
    return "out_of_budget" if message.startswith(_SPENT) else "invalid_error"
