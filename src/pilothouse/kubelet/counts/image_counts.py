"""Images that are wanted, and the pulls of them. Source: pkg/kubelet/metrics/metrics.go; KEP-2535."""

from bisect import bisect_left

from pilothouse.runtime.metrics import Metrics

_SECONDS = (1, 5, 10, 20, 30, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600)
_BOUNDS = tuple(size << 20 for size in (10, 100, 500)) + tuple(size << 30 for size in (1, 5, 10, 20, 30, 40, 60, 100))
_SIZES = (
    "0-10MB", "10MB-100MB", "100MB-500MB", "500MB-1GB", "1GB-5GB", "5GB-10GB", "10GB-20GB", "20GB-30GB", "30GB-40GB",
    "40GB-60GB", "60GB-100GB", "GT100GB",
)  # fmt: skip


class ImageCounts:
    """Those of one node."""

    def __init__(self, metrics: Metrics) -> None:
        self._pulls = metrics.histogram(
            "kubelet_image_pull_duration_seconds", "[ALPHA] Duration in seconds to pull an image.",
            ("image_size_in_bytes",), buckets=_SECONDS,
        )  # fmt: skip
        self._wanted = metrics.counter(
            "kubelet_image_manager_ensure_image_requests_total",
            "[ALPHA] Number of ensure-image requests processed by the kubelet.",
            ("present_locally", "pull_policy", "pull_required"),
        )  # fmt: skip

    def pulled(self, size: int, seconds: float) -> None:
        """An image has come, after so long, waiting included."""
        self._pulls.labels(size_label(size)).observe(seconds)

    def wanted(self, policy: str, *, present: bool | None, pull: bool | None) -> None:
        """A pod needs an image; None: that could not be found out."""
        self._wanted.labels(_word(present), policy.lower(), _word(pull)).inc()


def size_label(size: int) -> str:
    """How large an image is, roughly."""
    return _SIZES[bisect_left(_BOUNDS, size)] if size else "N/A"


def _word(known: bool | None) -> str:
    return "unknown" if known is None else str(known).lower()
