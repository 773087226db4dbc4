"""A body over a WebSocket, on a real socket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pilothouse.api.machinery.errors import BadRequest, Forbidden, StatusError
from pilothouse.apiserver.streaming.messages import Body, in_messages
from pilothouse.net.dial import Reply, ask, dial
from pilothouse.net.http import Peer, Request, Response
from pilothouse.net.server import serve
from pilothouse.net.stream import ConnectionStream
from pilothouse.net.websocket import Message, check_answer, request_headers
from pilothouse.net.websocket_connection import WebSocket
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()
KEY = bytes(16)


@asynccontextmanager
async def _asked(body: Callable[[], Body], *protocols: str) -> AsyncIterator[tuple[ConnectionStream, Reply]]:
    """A connection that has asked for a WebSocket with the body."""

    async def handle(request: Request) -> Response:
        messages = in_messages(request)
        assert messages is not None
        return messages.response(body())

    async with serve(handle, "127.0.0.1", 0, None, CLOCK, grace=0.1) as front, CLOCK.timeout(10):
        stream = await dial("127.0.0.1", front.port, None, CLOCK)
        reply = await ask(stream, "GET", "/log", {"Host": "x", **request_headers(KEY, protocols)})
        yield stream, reply
        await stream.close()


def _client(stream: ConnectionStream) -> WebSocket:
    return WebSocket(stream, mask=lambda: b"abcd")


async def _two() -> AsyncIterator[bytes]:
    yield b"one\n"
    yield b"two\n"


@pytest.mark.parametrize(
    ("protocols", "chosen", "messages"),
    [
        ((), "", [Message(b""), Message(b"one\n"), Message(b"two\n")]),
        (("binary.k8s.io",), "binary.k8s.io", [Message(b""), Message(b"one\n"), Message(b"two\n")]),
        (
            ("channel.k8s.io", "base64.binary.k8s.io"), "base64.binary.k8s.io",
            [Message(b"", text=True), Message(b"b25lCg==", text=True), Message(b"dHdvCg==", text=True)],
        ),
    ],
)  # fmt: skip
def test_pieces_are_messages_after_an_empty_one(
    protocols: tuple[str, ...], chosen: str, messages: list[Message]
) -> None:
    async def main() -> None:
        async with _asked(_two, *protocols) as (stream, reply):
            assert check_answer(KEY, protocols, reply.headers) == chosen
            socket = _client(stream)
            assert [await socket.receive() for _ in messages] == messages
            assert await socket.receive() is None, "at its end it is closed"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("body", "messages"), [(b"", []), (b"all", [b"all"]), ([b"a", memoryview(b"b")], [b"a", b"b"])]
)
def test_a_body_that_is_there(body: Body, messages: list[bytes]) -> None:
    async def main() -> None:
        async with _asked(lambda: body) as (stream, _):
            socket, found = _client(stream), []
            while (message := await socket.receive()) is not None:
                found.append(message.data)
            assert found == [b"", *messages]

    asyncio.run(main())


def test_a_client_that_leaves_ends_the_body() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            yield b"begun"
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def main() -> None:
        async with _asked(endless) as (stream, _):
            socket = _client(stream)
            await socket.send(b"ignored")
            assert [await socket.receive(), await socket.receive()] == [Message(b""), Message(b"begun")]
            await socket.goodbye()
            await closed.wait()

    asyncio.run(main())


def _request(**headers: Any) -> Request:
    return Request("GET", "/log", headers, Peer(""))


def test_what_asks_for_no_websocket_gets_none() -> None:
    assert in_messages(_request()) is None
    assert in_messages(_request(connection="Upgrade", upgrade="SPDY/3.1")) is None


@pytest.mark.parametrize(
    ("headers", "error", "message"),
    [
        (
            {"sec-websocket-protocol": "channel.k8s.io, x"}, Forbidden,
            "requested protocol(s) are not supported: [channel.k8s.io x]",
        ),
        ({}, BadRequest, "missing or bad WebSocket version"),
    ],
)  # fmt: skip
def test_refusals(headers: dict[str, str], error: type[StatusError], message: str) -> None:
    with pytest.raises(error) as raised:
        in_messages(_request(connection="Upgrade", upgrade="websocket", **headers))
    assert raised.value.message == message
