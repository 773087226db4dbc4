"""Request metrics: upstream's names and labels, whatever is asked for, and no label that anybody may invent."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from pilothouse.api.catalogue import builtin
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.measure import RequestMetrics
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.user import User
from pilothouse.net.http import Peer, Request, Response
from pilothouse.runtime.clock import SystemClock

PODS = "/api/v1/namespaces/default/pods"
RESOURCE = ("", "resource", 200)


async def ask(metrics: RequestMetrics, method: str, target: str, status: int = 200) -> None:
    async def answer(_: Exchange) -> Response:
        return Response(status)

    request = Request(method, target, {}, Peer(""))
    await metrics.step(Exchange(request, parse_request_info(method, target), 0.0, User("me")), answer)


def page(*requests: tuple[str, str, int]) -> str:
    async def scenario() -> str:
        metrics = RequestMetrics(SystemClock(), builtin())
        for method, target, status in requests:
            await ask(metrics, method, target, status)
        registry = CollectorRegistry()
        registry.register(metrics)
        return generate_latest(registry).decode()

    return asyncio.run(scenario())


def total(verb: str, group: str, resource: str, subresource: str, scope: str, code: int, *, dry: str = "") -> str:
    version = "v1" if resource else ""
    return (
        f'apiserver_request_total{{code="{code}",component="apiserver",dry_run="{dry}",group="{group}",'
        f'resource="{resource}",scope="{scope}",subresource="{subresource}",verb="{verb}",version="{version}"}} 1.0'
    )


@pytest.mark.parametrize(
    ("method", "target", "status", "line"),
    [
        ("GET", f"{PODS}/a", 200, total("GET", "", "pods", "", "resource", 200)),
        ("GET", PODS, 200, total("LIST", "", "pods", "", "namespace", 200)),
        ("GET", f"{PODS}?watch=true", 200, total("WATCH", "", "pods", "", "namespace", 200)),
        ("GET", "/api/v1/pods", 403, total("LIST", "", "pods", "", "cluster", 403)),
        ("POST", f"{PODS}?dryRun=All", 201, total("POST", "", "pods", "", "namespace", 201, dry="All")),
        ("PUT", f"{PODS}/a/status", 409, total("PUT", "", "pods", "status", "resource", 409)),
        ("PATCH", "/apis/apps/v1/namespaces/x/deployments/a", 200, total("PATCH", "apps", "deployments", *RESOURCE)),
        ("DELETE", PODS, 200, total("DELETECOLLECTION", "", "pods", "", "namespace", 200)),
        ("GET", "/readyz", 200, total("GET", "", "", "/readyz", "", 200)),
        ("GET", "/made/up", 404, total("GET", "", "", "", "", 404)),
        ("GET", "/apis/made/v1/up", 404, total("GET", "", "", "/apis", "", 404)),
        ("MADEUP", "/", 405, total("other", "", "", "", "", 405)),
    ],
)  # fmt: skip
def test_labels(method: str, target: str, status: int, line: str) -> None:
    assert line in page((method, target, status)).splitlines()


def test_what_lasts_is_counted_but_not_timed() -> None:
    shown = page(("GET", f"{PODS}?watch=true", 200), ("GET", PODS, 200))
    timed = [line for line in shown.splitlines() if line.startswith("apiserver_request_duration_seconds_count")]
    assert len(timed) == 1
    assert 'verb="LIST"' in timed[0]
    assert timed[0].endswith(" 1.0")


def test_requests_in_flight() -> None:
    async def scenario() -> None:
        metrics = RequestMetrics(SystemClock(), builtin())
        seen = []

        async def answer(_: Exchange) -> Response:
            registry = CollectorRegistry()
            registry.register(metrics)
            seen.append(registry.get_sample_value("apiserver_current_inflight_requests", {"request_kind": "mutating"}))
            raise ConnectionError

        exchange = Exchange(Request("POST", PODS, {}, Peer("")), parse_request_info("POST", PODS), 0.0, User("me"))
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await metrics.step(exchange, answer)
        assert seen == [1.0, 1.0]

    asyncio.run(scenario())
