"""Requests are counted under few names, whatever callers ask for."""

import asyncio

import pytest

from kubelet.server.harness import PEER
from pilothouse.kubelet.server.request_counts import counted, labels_of
from pilothouse.net.http import Handler, Request, Response
from pilothouse.runtime.clock import SystemClock
from pilothouse.runtime.metrics import Metrics


@pytest.mark.parametrize(("method", "target", "expected"), [
    ("GET", "/metrics", ("GET", "metrics", "readwrite", "false")),
    ("GET", "/metrics/cadvisor?x=1", ("GET", "metrics/cadvisor", "readwrite", "false")),
    ("GET", "/metrics/none", ("GET", "metrics", "readwrite", "false")),
    ("POST", "/exec/a/b/c", ("POST", "exec", "readwrite", "true")),
    ("GET", "/containerLogs/a/b/c", ("GET", "containerLogs", "readwrite", "false")),
    ("BREW", "/%2e%2e/etc", ("other", "other", "readwrite", "false")),
])  # fmt: skip
def test_labels(method: str, target: str, expected: tuple[str, ...]) -> None:
    assert labels_of(method, target) == expected


def test_requests_are_counted_and_no_longer_under_way_when_they_failed() -> None:
    metrics = Metrics()
    labels = dict(zip(("method", "path", "server_type", "long_running"), labels_of("GET", "/pods"), strict=True))
    seen = []

    async def broken(request: Request) -> Response:
        seen.append(metrics.registry.get_sample_value("kubelet_http_inflight_requests", labels))
        raise ValueError

    with pytest.raises(ValueError):
        asyncio.run(_ask(broken, metrics))
    said = metrics.registry.get_sample_value
    assert seen == [1]
    assert said("kubelet_http_inflight_requests", labels) == 0
    assert said("kubelet_http_requests_total", labels) == 1
    assert said("kubelet_http_requests_duration_seconds_count", labels) == 1


async def _ask(handler: Handler, metrics: Metrics) -> Response:
    return await counted(handler, metrics, SystemClock())(Request("GET", "/pods", {}, PEER))
