"""Questions of agents on the node, and what its plugins are asked. Source: pkg/kubelet/metrics/metrics.go."""

from pilothouse.runtime.metrics import Metrics

_VERSION = "v1"
_LABELS = ("server_api_version",)
_CALLS = {"List": "list", "GetAllocatableResources": "get_allocatable", "Get": "get"}
_SUFFIX = "Broken down by server api version."


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
