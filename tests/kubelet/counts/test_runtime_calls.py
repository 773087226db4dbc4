"""Calls of a runtime on a socket, counted under the names of pkg/kubelet/metrics/cri/instrumented_services.go."""

import pytest

from fakes.cri_server import CriServer
from kubelet.cri.serving import sandbox_config, serve
from kubelet.cri.test_bad_runtimes import CALLS
from pilothouse.kubelet.counts.runtime_calls import RuntimeCalls, operation_of
from pilothouse.kubelet.cri.client import CriClient
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.runtime.metrics import Metrics
from pilothouse.testing.fake_cri import FakeCri

OPERATIONS = {
    "attach", "checkpoint_container", "container_status", "create_container", "exec", "exec_sync", "image_fs_info",
    "image_status", "list_container_stats", "list_containers", "list_images", "list_podsandbox", "podsandbox_stats",
    "podsandbox_status", "port_forward", "pull_image", "remove_container", "remove_image", "remove_podsandbox",
    "reopen_container_log", "run_podsandbox", "runtime_config", "start_container", "status", "stop_container",
    "stop_podsandbox", "update_container", "update_podsandbox_resources", "version",
}  # fmt: skip


def test_every_call_has_upstreams_name() -> None:
    assert {operation_of(call) for call in CALLS} == OPERATIONS


def test_calls_and_their_errors_are_counted() -> None:
    metrics = Metrics()

    def said(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"kubelet_{name}", labels)

    async def story(cri: CriClient, server: CriServer, fake: FakeCri) -> None:
        cri.count_by(RuntimeCalls(metrics).observe)
        await cri.version()
        await cri.run_sandbox(sandbox_config())
        with pytest.raises(CriError):
            await cri.start_container("gone")
        server.hang("RunPodSandbox")
        with pytest.raises(CriError):
            await cri.run_sandbox(sandbox_config("other"), "crun")

    serve(story, request_timeout=0.1)
    assert said("runtime_operations_total", operation_type="version") == 1
    assert said("runtime_operations_errors_total", operation_type="version") is None
    assert said("runtime_operations_total", operation_type="run_podsandbox") == 2
    assert said("runtime_operations_errors_total", operation_type="start_container") == 1
    assert said("runtime_operations_duration_seconds_count", operation_type="start_container") == 1
    assert said("run_podsandbox_duration_seconds_count", runtime_handler="") == 1
    assert said("run_podsandbox_errors_total", runtime_handler="") is None
    assert said("run_podsandbox_errors_total", runtime_handler="crun") == 1
