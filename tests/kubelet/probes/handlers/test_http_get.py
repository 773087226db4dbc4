"""Outcomes and messages of upstream's pkg/probe/http."""

import asyncio
from typing import Any

import pytest

from kubelet.probes.asking import means, target
from kubelet.web import answer, web
from pilothouse.kubelet.probes.handler import Answer, Outcome
from pilothouse.kubelet.probes.handlers.http_get import HttpGetHandler


async def _ask(port: int | str, **action: Any) -> Answer:
    http = {"path": "/", "port": port, "scheme": "HTTP", **action}
    return await HttpGetHandler(means()).ask(target(httpGet=http))


@pytest.mark.parametrize(
    ("raw", "outcome", "output"),
    [
        (answer(200, "ok"), Outcome.SUCCESS, "ok"),
        (answer(204), Outcome.SUCCESS, ""),
        (answer(399), Outcome.WARNING, "Probe terminated redirects, Response body: "),
        (
            answer(302, "gone", Location="http://localhost/"), Outcome.WARNING,
            "Probe terminated redirects, Response body: gone",
        ),
        (answer(400), Outcome.FAILURE, "HTTP probe failed with statuscode: 400"),
        (answer(500, "broken"), Outcome.FAILURE, "HTTP probe failed with statuscode: 500"),
    ],
)  # fmt: skip
def test_the_status_decides(raw: bytes, outcome: Outcome, output: str) -> None:
    async def main() -> None:
        async with web({"/": raw}) as server:
            assert await _ask(server.port) == Answer(outcome, output)

    asyncio.run(main())


def test_a_host_of_its_own() -> None:
    async def main() -> None:
        async with web({"/": answer(200)}) as server:
            assert (await _ask(server.port, host="localhost")).outcome is Outcome.SUCCESS
            assert f"Host: localhost:{server.port}" in server.lines[0]

    asyncio.run(main())


def test_silence_is_a_failure() -> None:
    async def main() -> None:
        async with web({}) as server:
            url = f"http://127.0.0.1:{server.port}/"
            late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            assert await _ask(server.port) == Answer(Outcome.FAILURE, f'Get "{url}": {late}')

    asyncio.run(main())


def test_no_connection_is_a_failure() -> None:
    found = asyncio.run(_ask(1))
    why = 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused'
    assert found == Answer(Outcome.FAILURE, why)
