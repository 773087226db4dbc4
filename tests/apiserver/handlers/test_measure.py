"""Request metrics: upstream's names and labels, whatever is asked for, and no label that anybody may invent."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from pilothouse.api.catalogue import builtin
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.measure import RequestMetrics
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.user import User
from pilothouse.net.answer import dispose
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


def test_what_lasts_is_counted_while_it_does() -> None:
    async def scenario() -> None:
        metrics = RequestMetrics(SystemClock(), builtin())
        labels = {
            "verb": "WATCH", "group": "", "version": "v1", "resource": "pods", "subresource": "", "scope": "namespace",
            "component": "apiserver",
        }  # fmt: skip

        async def pieces() -> AsyncIterator[bytes]:
            yield b"a"

        async def answer(_: Exchange) -> Response:
            return Response(200, pieces())

        async def refuse(_: Exchange) -> Response:
            raise ConnectionError

        registry = CollectorRegistry()
        registry.register(metrics)
        target = f"{PODS}?watch=true"
        exchange = Exchange(Request("GET", target, {}, Peer("")), parse_request_info("GET", target), 0.0, User("me"))
        response = await metrics.step(exchange, answer)
        assert registry.get_sample_value("apiserver_longrunning_requests", labels) == 1.0
        await dispose(response)
        assert registry.get_sample_value("apiserver_longrunning_requests", labels) == 0.0
        with pytest.raises(ConnectionError):
            await metrics.step(exchange, refuse)
        assert registry.get_sample_value("apiserver_longrunning_requests", labels) == 0.0

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("method", "target", "body", "size"),
    [
        ("GET", PODS, b"x" * 1500, 1500.0),
        ("GET", PODS, (b"x" * 1000, memoryview(b"y" * 500)), 1500.0),
        ("GET", f"{PODS}/a", b"x", 1.0),
        ("POST", PODS, b"x", None),
    ],
)
def test_sizes_of_what_is_read(method: str, target: str, body: Any, size: float | None) -> None:
    async def scenario() -> None:
        metrics = RequestMetrics(SystemClock(), builtin())

        async def answer(_: Exchange) -> Response:
            return Response(200, body)

        request = Request(method, target, {}, Peer(""))
        await metrics.step(Exchange(request, parse_request_info(method, target), 0.0, User("me")), answer)
        registry = CollectorRegistry()
        registry.register(metrics)
        lines = [line for line in generate_latest(registry).decode().splitlines() if "response_sizes_" in line]
        sums = [float(line.rpartition(" ")[2]) for line in lines if "_sum{" in line]
        assert sums == ([] if size is None else [size])
        if size == 1500.0:
            counts = {line.partition('le="')[2].partition('"')[0]: line.rpartition(" ")[2] for line in lines}
            assert (counts["1000.0"], counts["10000.0"]) == ("0.0", "1.0")

    asyncio.run(scenario())


def test_events_of_watchers() -> None:
    metrics = RequestMetrics(SystemClock(), builtin())
    metrics.watched = {("", "v1", "pods"): [7]}
    registry = CollectorRegistry()
    registry.register(metrics)
    labels = {"group": "", "version": "v1", "resource": "pods"}
    assert registry.get_sample_value("apiserver_watch_events_total", labels) == 7.0
