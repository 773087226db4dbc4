"""How the kubelet hears of what changes in the runtime."""

from pilothouse.kubelet.counts.buckets import DEFAULTS
from pilothouse.runtime.metrics import Metrics


class PlegCounts:
    """Those of one node. A stream of events counts as had when it first tells something."""

    def __init__(self, metrics: Metrics) -> None:
        self.listings = metrics.histogram(
            "kubelet_pleg_relist_duration_seconds", "[ALPHA] Duration in seconds for relisting pods in PLEG.",
            buckets=DEFAULTS,
        )  # fmt: skip
        self.intervals = metrics.histogram(
            "kubelet_pleg_relist_interval_seconds", "[ALPHA] Interval in seconds between relisting in PLEG.",
            buckets=DEFAULTS,
        )  # fmt: skip
        self.last_seen = metrics.gauge(
            "kubelet_pleg_last_seen_seconds", "[ALPHA] Timestamp in seconds when PLEG was last seen active."
        )
        self.streams = metrics.tally(
            "kubelet_evented_pleg_connection_success_count",
            "[ALPHA] The number of times a streaming client was obtained to receive CRI Events.",
        )
        self.stream_errors = metrics.tally(
            "kubelet_evented_pleg_connection_error_count",
            "[ALPHA] The number of errors encountered during the establishment of streaming connection with the CRI "
            "runtime.",
        )
