"""Questions of agents on the node, and what its plugins are asked. Source: pkg/kubelet/metrics/metrics.go."""

from pilothouse.kubelet.counts.buckets import DEFAULTS
from pilothouse.runtime.metrics import Metrics

_VERSION = "v1"
_LABELS = ("server_api_version",)
_CALLS = {"List": "list", "GetAllocatableResources": "get_allocatable", "Get": "get"}
_SUFFIX = "Broken down by server api version."


class DeviceCounts:
    """Those of device plugins."""

    def __init__(self, metrics: Metrics) -> None:
        labels = ("resource_name",)
        self._registered = metrics.counter(
            "kubelet_device_plugin_registration_total",
            "[ALPHA] Cumulative number of device plugin registrations. Broken down by resource name.", labels,
        )  # fmt: skip
        self._seconds = metrics.histogram(
            "kubelet_device_plugin_alloc_duration_seconds",
            "[ALPHA] Duration in seconds to serve a device plugin Allocation request. Broken down by resource name.",
            labels, buckets=DEFAULTS,
        )  # fmt: skip

    def registered(self, resource: str) -> None:
        """A plugin has come."""
        self._registered.labels(resource).inc()

    def allocated(self, resource: str, seconds: float) -> None:
        """It has given some of its devices, or has not."""
        self._seconds.labels(resource).observe(seconds)


class PodResourcesCounts:
    """Those of the pod-resources API."""

    def __init__(self, metrics: Metrics) -> None:
        self._all = metrics.counter(
            "kubelet_pod_resources_endpoint_requests_total",
            f"[ALPHA] Cumulative number of requests to the PodResource endpoint. {_SUFFIX}", _LABELS,
        )  # fmt: skip
        self._asked = {
            call: metrics.tally(
                f"kubelet_pod_resources_endpoint_requests_{name}",
                f"[ALPHA] Number of requests to the PodResource {call} endpoint. {_SUFFIX}", _LABELS,
            ) for call, name in _CALLS.items()
        }  # fmt: skip
        self._failed = {
            call: metrics.tally(
                f"kubelet_pod_resources_endpoint_errors_{name}",
                f"[ALPHA] Number of requests to the PodResource {call} endpoint which returned error. {_SUFFIX}",
                _LABELS,
            ) for call, name in _CALLS.items()
        }  # fmt: skip

    def asked(self, call: str) -> None:
        """A question is being answered."""
        self._all.labels(_VERSION).inc()
        self._asked[call].labels(_VERSION).inc()

    def failed(self, call: str) -> None:
        """It could not be."""
        self._failed[call].labels(_VERSION).inc()
