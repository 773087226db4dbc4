"""How long claims take, and how many are in use. Names, buckets and labels are a contract.

Sources: DRAOperationsDuration, DRAGRPCOperationsDuration in pkg/kubelet/metrics/metrics.go; claimInfoCollector in
pkg/kubelet/cm/dra/claiminfo.go.
"""

from collections.abc import Mapping

from pilothouse.kubelet.dra.dynamic_resources import DynamicResources
from pilothouse.runtime.metrics import Metrics

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_DONE = (
    "[ALPHA] Latency histogram in seconds for the duration of handling all ResourceClaims referenced by a pod when the "
    "pod starts or stops. Identified by the name of the operation (PrepareResources or UnprepareResources) and "
    "separated by the success of the operation. The number of failed operations is provided through the histogram's "
    "overall count."
)
_CALLED = "[ALPHA] Duration in seconds of the DRA gRPC operations"
_IN_USE = (
    "[ALPHA] The number of ResourceClaims that are currently in use on the node, by driver name (driver_name label "
    "value) and across all drivers (special value <any> for driver_name). Note that the sum of all by-driver counts is "
    "not the total number of in-use ResourceClaims because the same ResourceClaim might use devices from different "
    "drivers. Instead, use the count for the <any> driver_name."
)


def measure(resources: DynamicResources, metrics: Metrics) -> None:
    """Have all that is done measured."""
    done = metrics.histogram("dra_operations_duration_seconds", _DONE, ("operation_name", "is_error"), buckets=_BUCKETS)
    called = metrics.histogram(
        "dra_grpc_operations_duration_seconds", _CALLED, ("driver_name", "method_name", "grpc_status_code"),
        buckets=_BUCKETS,
    )  # fmt: skip
    in_use = metrics.gauge("dra_resource_claims_in_use", _IN_USE, ("driver_name",))

    def observe(name: str, failed: bool, seconds: float) -> None:
        done.labels(name, str(failed).lower()).observe(seconds)

    def observe_call(driver: str, method: str, code: str, seconds: float) -> None:
        called.labels(driver, method, code).observe(seconds)

    def count(counts: Mapping[str, int]) -> None:
        in_use.clear()
        for driver, number in counts.items():
            in_use.labels(driver).set(number)

    resources.observe, resources.plugins.observe, resources.cache.on_change = observe, observe_call, count
    count(resources.cache.counts())
