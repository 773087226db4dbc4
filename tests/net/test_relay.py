import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from pilothouse.net.dial import ask, dial
from pilothouse.net.http import ByteStream, Handler, Request, Response
from pilothouse.net.relay import relay, stream_protocols, wanted_upgrade
from pilothouse.net.server import serve
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()
ASK = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}


@asynccontextmanager
async def _relayed(backend: Handler) -> AsyncIterator[int]:
    """The port of a server that relays everything to `backend`."""
    async with serve(backend, "127.0.0.1", 0, None, CLOCK, grace=0.1) as behind:

        async def pass_on(request: Request) -> Response:
            stream = await dial("127.0.0.1", behind.port, None, CLOCK)
            return await relay(request, stream, "backend:1", "/there?x=y")

        async with serve(pass_on, "127.0.0.1", 0, None, CLOCK, grace=0.1) as front:
            yield front.port


async def _shout(stream: ByteStream) -> None:
    await stream.write(b"hello ")
    while data := await stream.read():
        await stream.write(data.upper())


@pytest.mark.parametrize(
    ("headers", "upgrade"),
    [
        (ASK, "SPDY/3.1"),
        ({"connection": "keep-alive, upgrade", "upgrade": "WebSocket"}, "websocket"),
        ({"connection": "upgrade", "upgrade": "h2c"}, ""),
        ({"connection": "close", "upgrade": "websocket"}, ""),
        ({}, ""),
    ],
)
def test_only_two_upgrades_are_relayed(headers: Mapping[str, str], upgrade: str) -> None:
    assert wanted_upgrade({name.lower(): value for name, value in headers.items()}) == upgrade


def test_an_upgrade_is_joined_and_tells_the_backend_nothing_of_the_credentials() -> None:
    seen: list[Request] = []

    async def backend(request: Request) -> Response:
        seen.append(request)
        headers = {**ASK, "X-Stream-Protocol-Version": "v4.channel.k8s.io", "Set-Cookie": "x"}
        return Response(101, b"", headers, upgrade=_shout)

    async def main() -> None:
        async with _relayed(backend) as port:
            stream = await dial("127.0.0.1", port, None, CLOCK)
            offered = {"X-Stream-Protocol-Version": ["v4.channel.k8s.io", "v3.channel.k8s.io"]}
            reply = await ask(stream, "POST", "/here", {"Host": "x", "Authorization": "Bearer t", **ASK, **offered})
            assert reply.upgraded
            assert reply.headers["x-stream-protocol-version"] == "v4.channel.k8s.io"
            assert "set-cookie" not in reply.headers
            assert await stream.read() == b"hello "
            await stream.write(b"abc")
            assert await stream.read() == b"ABC"
            stream.write_eof()
            assert await stream.read() == b""
            await stream.close()
        (request,) = seen
        assert (request.method, request.target) == ("POST", "/there?x=y")
        assert "authorization" not in request.headers
        assert request.headers["host"] == "backend:1"
        assert stream_protocols(request.headers) == ("v4.channel.k8s.io", "v3.channel.k8s.io")

    asyncio.run(main())


def test_a_refusal_is_the_answer() -> None:
    async def backend(request: Request) -> Response:
        return Response(404, b"container not found", content_type="text/plain")

    async def main() -> None:
        async with _relayed(backend) as port:
            stream = await dial("127.0.0.1", port, None, CLOCK)
            reply = await ask(stream, "POST", "/here", {"Host": "x", **ASK})
            assert (reply.status, reply.headers["content-type"]) == (404, "text/plain")
            assert await reply.read(1000) == b"container not found"

    asyncio.run(main())


def test_a_lost_client_ends_the_backends_session() -> None:
    async def main() -> None:
        ended = asyncio.Event()

        async def session(stream: ByteStream) -> None:
            while await stream.read():
                pass
            ended.set()

        async def backend(request: Request) -> Response:
            return Response(101, b"", ASK, upgrade=session)

        async with _relayed(backend) as port, CLOCK.timeout(5):
            stream = await dial("127.0.0.1", port, None, CLOCK)
            await ask(stream, "POST", "/here", {"Host": "x", **ASK})
            await stream.write(b"x")
            stream.abort()
            await ended.wait()

    asyncio.run(main())
