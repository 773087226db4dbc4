"""Questions to the pod-resources API under upstream's names."""

from pilothouse.kubelet.counts.plugin_counts import PodResourcesCounts
from pilothouse.runtime.metrics import Metrics


def test_questions_and_failures_are_counted_by_call() -> None:
    metrics = Metrics()
    counts = PodResourcesCounts(metrics)
    for call in ("List", "GetAllocatableResources", "Get", "Get"):
        counts.asked(call)
    counts.failed("Get")
    found = [line for line in metrics.page().decode().splitlines() if line.endswith(".0")]
    of = "kubelet_pod_resources_endpoint_"
    assert found == [
        f'{of}requests_total{{server_api_version="v1"}} 4.0', f'{of}requests_list{{server_api_version="v1"}} 1.0',
        f'{of}requests_get_allocatable{{server_api_version="v1"}} 1.0',
        f'{of}requests_get{{server_api_version="v1"}} 2.0', f'{of}errors_get{{server_api_version="v1"}} 1.0',
    ]  # fmt: skip
