"""Paths and methods of the kubelet's API."""

import asyncio
from pathlib import Path

import pytest

from kubelet.server.harness import node


@pytest.mark.parametrize(
    ("target", "method", "status", "words"),
    [
        ("/", "GET", 404, "404 page not found\n"),
        ("/nothing", "GET", 404, "404 page not found\n"),
        ("/stats", "GET", 404, "404 page not found\n"),
        ("/stats/container", "GET", 404, "404 page not found\n"),
        ("/metrics/other", "GET", 404, "404 page not found\n"),
        ("/checkpoint/shop/web", "POST", 404, "404 page not found\n"),
        ("/containerLogs/shop/web", "GET", 404, "404 page not found\n"),
        ("/exec/shop/web/uid/app/more", "POST", 404, "404 page not found\n"),
        ("/logs/", "GET", 405, "logs endpoint is disabled.\n"),
        ("/logs/messages", "GET", 405, "logs endpoint is disabled.\n"),
    ],
)
def test_what_is_not_served(tmp_path: Path, target: str, method: str, status: int, words: str) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            assert (await one.ask(target, method))[:2] == (status, words)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("target", "method", "allowed"),
    [
        ("/pods", "POST", "GET"),
        ("/runningpods/", "DELETE", "GET"),
        ("/containerLogs/shop/web/app", "POST", "GET"),
        ("/exec/shop/web/app", "PUT", "GET, POST"),
        ("/run/shop/web/app", "GET", "POST"),
        ("/checkpoint/shop/web/app", "GET", "POST"),
        ("/stats/summary", "PUT", "GET, POST"),
    ],
)
def test_methods(tmp_path: Path, target: str, method: str, allowed: str) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            status, words, response = await one.ask(target, method)
            assert (status, words, response.headers["Allow"]) == (405, "Method Not Allowed", allowed)

    asyncio.run(main())


def test_metrics(tmp_path: Path) -> None:
    async def main() -> None:
        async with node(tmp_path) as one:
            one.metrics.counter("kubelet_things", "Things.").inc()
            status, words, response = await one.ask("/metrics")
            assert status == 200
            assert "kubelet_things_total 1.0" in words
            assert response.content_type.startswith("text/plain; version=")

    asyncio.run(main())
