import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pilothouse.net.dial import Reply, ask, dial
from pilothouse.net.stream import ConnectionStream
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()
ASK = {"Host": "x", "Connection": "Upgrade", "Upgrade": "SPDY/3.1"}


@asynccontextmanager
async def _server(answer: bytes, *, close: bool = False) -> AsyncIterator[tuple[ConnectionStream, list[bytes]]]:
    """A connection to a server that answers whatever is asked with `answer`."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        if not close:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stream = await dial("127.0.0.1", server.sockets[0].getsockname()[1], None, CLOCK)
    try:
        yield stream, asked
    finally:
        stream.abort()
        await stream.close()
        server.close()
        await CLOCK.sleep(0.01)


async def _reply(answer: bytes, headers: dict[str, str], *, close: bool = False) -> tuple[Reply, bytes]:
    async with _server(answer, close=close) as (stream, _):
        reply = await ask(stream, "POST", "/exec", headers)
        return reply, await stream.read() if reply.upgraded else await reply.read(1000)


def test_a_verified_101_keeps_what_came_with_it() -> None:
    async def main() -> None:
        head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: SPDY/3.1\r\nX-A: b\r\n\r\n"
        async with _server(head + b"early") as (stream, asked):
            reply = await ask(stream, "POST", "/exec?a=b", ASK)
            assert (reply.upgraded, reply.headers["x-a"]) == (True, "b")
            assert await stream.read() == b"early"
        lines = ["POST /exec?a=b HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: SPDY/3.1", "Content-Length: 0"]
        expected = "\r\n".join([*lines, "", ""])
        assert asked == [expected.encode()]

    asyncio.run(main())


@pytest.mark.parametrize(
    "headers",
    [
        b"Upgrade: SPDY/3.1\r\n",
        b"Connection: Upgrade\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
        b"",
    ],
)
def test_a_101_to_something_else_is_no_upgrade(headers: bytes) -> None:
    with pytest.raises(ConnectionError, match="unable to upgrade"):
        asyncio.run(_reply(b"HTTP/1.1 101 Switching Protocols\r\n" + headers + b"\r\nGET / HTTP/1.1\r\n\r\n", ASK))


def test_a_101_nobody_asked_for_is_no_upgrade() -> None:
    head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"
    with pytest.raises(ConnectionError, match="unable to upgrade"):
        asyncio.run(_reply(head, {"Host": "x"}))


@pytest.mark.parametrize(
    ("answer", "body", "close"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", b"no", False),
        (b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", b"no", False),
        (b"HTTP/1.1 403 Forbidden\r\n\r\nno", b"no", True),
        # A CGI program's own headers, behind a server's status line.
        (b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\n\nno", b"no", True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", b"", False),
    ],
)
def test_any_other_answer_is_returned_whole_and_the_connection_closed(answer: bytes, body: bytes, close: bool) -> None:
    async def main() -> None:
        async with _server(answer, close=close) as (stream, _):
            reply = await ask(stream, "POST", "/exec", ASK)
            assert (reply.status, reply.upgraded) == (403, False)
            assert await reply.read(1000) == body
            with pytest.raises(ConnectionError):
                await stream.write(b"smuggled")

    asyncio.run(main())


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200", b"not http\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000]
)
def test_no_proper_answer(answer: bytes) -> None:
    with pytest.raises(ConnectionError):
        asyncio.run(_reply(answer, ASK, close=True))


def test_a_body_cut_short_is_not_a_whole_one() -> None:
    with pytest.raises(ConnectionError, match="middle"):
        asyncio.run(_reply(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", ASK, close=True))


def test_a_long_body_is_cut() -> None:
    _, body = asyncio.run(_reply(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + bytes(2000), {"Host": "x"}))
    assert len(body) == 1000


@pytest.mark.parametrize(("target", "headers"), [("/a b", {}), ("/a", {"X": "a\r\nY: b"}), ("/a\r\n", {})])
def test_a_request_that_would_break_out_of_its_lines_is_not_sent(target: str, headers: dict[str, str]) -> None:
    async def main() -> None:
        async with _server(b"") as (stream, asked):
            with pytest.raises(ValueError, match="line break"):
                await ask(stream, "GET", target, headers)
            assert asked == []

    asyncio.run(main())


def test_nobody_there() -> None:
    async def main() -> None:
        with pytest.raises(OSError):
            await dial("127.0.0.1", 1, None, CLOCK)

    asyncio.run(main())


def test_an_answer_to_head_ends_with_its_head() -> None:
    async def main() -> None:
        async with _server(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\nA: c\r\n\r\n") as (stream, _):
            reply = await ask(stream, "HEAD", "/", {"Host": "x"})
            assert reply.headers["content-length"] == "5"
            assert reply.fields == [("Content-Length", "5"), ("A", "b"), ("A", "c")]
            assert await reply.read(10) == b""

    asyncio.run(main())
