"""/metrics/resource, as metrics-server reads it."""

import asyncio
from pathlib import Path

import pytest

from kubelet.server.harness import NodeCri, node
from kubelet.using import FRESH, NODE, USED
from pilothouse.kubelet.cri.interface import CriUnavailable, Sandbox
from pilothouse.kubelet.server.exposition import page
from pilothouse.kubelet.server.pages.resource_metrics import resource_families

GOLDEN = """\
# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container in core-seconds
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="app",namespace="shop",pod="web"} 1.5 1767225600250
container_cpu_usage_seconds_total{container="side",namespace="shop",pod="web"} 0.5 1767225600250
# HELP container_memory_working_set_bytes [STABLE] Current working set of the container in bytes
# TYPE container_memory_working_set_bytes gauge
container_memory_working_set_bytes{container="app",namespace="shop",pod="web"} 5.241856e+06 1767225600250
container_memory_working_set_bytes{container="side",namespace="shop",pod="web"} 3072 1767225600250
# HELP container_start_time_seconds [STABLE] Start time of the container since unix epoch in seconds
# TYPE container_start_time_seconds gauge
container_start_time_seconds{container="app",namespace="shop",pod="web"} 1.76722556975e+09
container_start_time_seconds{container="side",namespace="shop",pod="web"} 1.76722558025e+09
# HELP container_swap_usage_bytes [ALPHA] Current amount of the container swap usage in bytes. Reported only on non-windows systems
# TYPE container_swap_usage_bytes gauge
container_swap_usage_bytes{container="app",namespace="shop",pod="web"} 0 1767225600250
container_swap_usage_bytes{container="side",namespace="shop",pod="web"} 0 1767225600250
# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the node in core-seconds
# TYPE node_cpu_usage_seconds_total counter
node_cpu_usage_seconds_total 12.3456789 1767225600250
# HELP node_memory_working_set_bytes [STABLE] Current working set of the node in bytes
# TYPE node_memory_working_set_bytes gauge
node_memory_working_set_bytes 1.0737408e+09 1767225600250
# HELP node_swap_usage_bytes [ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems
# TYPE node_swap_usage_bytes gauge
node_swap_usage_bytes 0 1767225600250
# HELP pod_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the pod in core-seconds
# TYPE pod_cpu_usage_seconds_total counter
pod_cpu_usage_seconds_total{namespace="shop",pod="web"} 3 1767225600250
# HELP pod_memory_working_set_bytes [STABLE] Current working set of the pod in bytes
# TYPE pod_memory_working_set_bytes gauge
pod_memory_working_set_bytes{namespace="shop",pod="web"} 6.290432e+06 1767225600250
# HELP pod_swap_usage_bytes [ALPHA] Current amount of the pod swap usage in bytes. Reported only on non-windows systems
# TYPE pod_swap_usage_bytes gauge
pod_swap_usage_bytes{namespace="shop",pod="web"} 0 1767225600250
"""  # noqa: E501 - a page is what it is


def test_the_page_letter_by_letter() -> None:
    assert page(resource_families(NODE, [FRESH, USED])).decode() == GOLDEN


def test_it_is_served(tmp_path: Path) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            status, text, response = await one.ask("/metrics/resource")
            assert (status, response.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
            assert 'container_memory_working_set_bytes{container="app",namespace="shop",pod="web"} 0 ' in text
            assert text.endswith("resource_scrape_error 0\n")

    asyncio.run(main())


def test_a_runtime_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(_: NodeCri, uid: str = "") -> list[Sandbox]:
        raise CriUnavailable("UNAVAILABLE", f"no socket {uid}")

    async def main() -> None:
        async with node(tmp_path) as one:
            monkeypatch.setattr(NodeCri, "sandboxes", silent)
            assert (await one.ask("/metrics/resource"))[1] == (
                "# HELP resource_scrape_error [STABLE] 1 if there was an error while getting container metrics, "
                "0 otherwise\n# TYPE resource_scrape_error gauge\nresource_scrape_error 1\n"
            )
            assert "container_scrape_error 1\n" in (await one.ask("/metrics/cadvisor"))[1]
            assert (await one.ask("/stats/summary"))[:2] == (
                500, "Internal Error: rpc error: code = Unavailable desc = no socket ",
            )  # fmt: skip

    asyncio.run(main())
