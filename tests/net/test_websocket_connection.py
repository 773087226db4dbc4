import asyncio
from collections.abc import Awaitable, Callable

import pytest

from fakes.pipe import PipeEnd, pipe
from pilothouse.net.websocket import BINARY, CLOSE, PING, PONG, Message, close_payload, encode_frame
from pilothouse.net.websocket_connection import MessageStream, WebSocket

MASK = b"\1\2\3\4"


def _talk(talk: Callable[[WebSocket, WebSocket, PipeEnd], Awaitable[None]]) -> None:
    async def main() -> None:
        one, other = pipe()
        async with asyncio.timeout(5):  # noqa: TID251
            await talk(WebSocket(one, mask=lambda: MASK), WebSocket(other), one)

    asyncio.run(main())


def test_messages_go_both_ways_until_the_goodbye() -> None:
    async def talk(client: WebSocket, server: WebSocket, wire: PipeEnd) -> None:
        await client.send(b"hi", text=True)
        assert await server.receive() == Message(b"hi", text=True)
        await server.send(b"\0" * 100_000)
        assert await client.receive() == Message(b"\0" * 100_000)
        await server.goodbye(1000, "done")
        assert await client.receive() is None
        assert await server.receive() is None
        with pytest.raises(ConnectionError):
            await server.send(b"more")

    _talk(talk)


def test_pings_are_answered() -> None:
    async def talk(client: WebSocket, server: WebSocket, wire: PipeEnd) -> None:
        await wire.write(encode_frame(PING, b"abc", MASK) + encode_frame(BINARY, b"x", MASK))
        assert await server.receive() == Message(b"x")
        assert await wire.read() == encode_frame(PONG, b"abc")

    _talk(talk)


def test_a_peer_that_breaks_the_rules_is_told_so() -> None:
    async def talk(client: WebSocket, server: WebSocket, wire: PipeEnd) -> None:
        await wire.write(encode_frame(BINARY, b"unmasked"))
        with pytest.raises(ConnectionError):
            await server.receive()
        assert await wire.read() == encode_frame(CLOSE, close_payload(1002, "a frame is masked wrongly"))
        assert await server.receive() is None

    _talk(talk)


def test_a_lost_peer_is_an_end() -> None:
    async def talk(client: WebSocket, server: WebSocket, wire: PipeEnd) -> None:
        await wire.close()
        assert await server.receive() is None

    _talk(talk)


def test_bytes_travel_in_messages() -> None:
    async def talk(client: WebSocket, server: WebSocket, wire: PipeEnd) -> None:
        one, other = MessageStream(client), MessageStream(server)
        await one.write(b"")
        await one.write(b"abc")
        assert await other.read() == b"abc"
        await one.close()
        assert await other.read() == b""

    _talk(talk)
