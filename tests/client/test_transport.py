import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from pilothouse.client.transport import HandlerTransport, HttpTransport
from pilothouse.net.client_certificate import common_name
from pilothouse.net.http import Request, Response
from pilothouse.net.pki import Authority, KeyPair, Usage
from pilothouse.net.server import serve
from pilothouse.net.tls import ServerTls, client_context
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock, SystemClock
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _server(talk: Talk) -> AsyncIterator[str]:
    """A server that runs `talk` for each connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    return head[0], headers, await reader.readexactly(int(headers.get("content-length", "0")))


def _answer(body: bytes, extra: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


def test_requests_share_a_connection_and_carry_the_token() -> None:
    seen: list[tuple[int, str, dict[str, str], bytes]] = []
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            seen.append((connections, *await _request(reader)))
            writer.write(_answer(b"hello", "X-Seen: a\r\nx-seen: b\r\n"))

    async def main() -> None:
        tokens = iter(["one", "two"])
        async with _server(talk) as url:
            transport = HttpTransport(url, SystemClock(), token=lambda: next(tokens))
            first = await transport.send("GET", "/a?b=c", {"accept": "application/json"})
            await transport.send("POST", "/d", {}, b"body")
            await transport.close()
        assert (first.status, first.body, first.headers["x-seen"]) == (200, b"hello", "a, b")

    asyncio.run(main())
    assert [(number, line, body) for number, line, _, body in seen] == [
        (1, "GET /a?b=c HTTP/1.1", b""), (1, "POST /d HTTP/1.1", b"body"),
    ]  # fmt: skip
    assert [headers["authorization"] for _, _, headers, _ in seen] == ["bearer one", "bearer two"]
    assert seen[0][2]["accept"] == "application/json"


def test_a_kept_connection_that_died_is_replaced() -> None:
    served = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        await _request(reader)
        served += 1
        writer.write(_answer(b"ok"))

    async def main() -> list[bytes]:
        async with _server(talk) as url:
            transport = HttpTransport(url, SystemClock())
            bodies = [(await transport.send("GET", "/", {})).body for _ in range(3)]
            await transport.close()
        return bodies

    assert asyncio.run(main()) == [b"ok"] * 3
    assert served == 3


def test_a_write_is_not_sent_twice() -> None:
    received = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        await _request(reader)
        writer.write(_answer(b"ok"))
        await _request(reader)
        received += 1

    async def main() -> None:
        async with _server(talk) as url:
            transport = HttpTransport(url, SystemClock())
            await transport.send("GET", "/", {})
            with pytest.raises(ConnectionError):
                await transport.send("POST", "/", {}, b"x")
            await transport.close()

    asyncio.run(main())
    assert received == 1


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
            b"hello world",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + _answer(b"final"), b"final"),
    ],
    ids=["chunked", "until close", "no content", "interim answer first"],
)
def test_bodies_of_every_framing(raw: bytes, body: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(raw)
        await writer.drain()

    async def main() -> bytes:
        async with _server(talk) as url:
            transport = HttpTransport(url, SystemClock())
            answer = await transport.send("GET", "/", {})
            await transport.close()
            return answer.body

    assert asyncio.run(main()) == body


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"nonsense\r\n\r\n"])
def test_an_answer_cut_short_is_a_connection_error(raw: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(raw)

    async def main() -> None:
        async with _server(talk) as url:
            with pytest.raises(ConnectionError):
                await HttpTransport(url, SystemClock()).send("GET", "/", {})

    asyncio.run(main())


def test_a_stream_is_read_as_it_comes_and_ends_when_left() -> None:
    gone = asyncio.Event

    async def main() -> None:
        closed = gone()
        go_on = asyncio.Event()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n")
            await go_on.wait()
            writer.write(b"4\r\ntwo\n\r\n")
            try:
                await reader.read()
            finally:
                closed.set()

        async with _server(talk) as url:
            transport = HttpTransport(url, SystemClock())
            async with transport.stream("GET", "/watch", {}) as answer:
                pieces = answer.body
                assert await anext(pieces) == b"one\n"
                go_on.set()
                assert await anext(pieces) == b"two\n"
            await closed.wait()

    asyncio.run(main())


def test_a_slow_reader_stops_the_sender() -> None:
    async def main() -> int:
        sent = 0

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            await _request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(400):
                writer.write(b"x" * 100_000)
                await writer.drain()
                sent += 100_000

        async with _server(talk) as url:
            async with HttpTransport(url, SystemClock()).stream("GET", "/watch", {}) as answer:
                await anext(answer.body)
                await SystemClock().sleep(0.1)
            return sent

    assert asyncio.run(main()) < 30_000_000


def test_a_silent_server_times_out() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def main() -> None:
        async with _server(talk) as url:
            with pytest.raises(TimeoutError):
                await HttpTransport(url, SystemClock(), timeout=0.05).send("GET", "/", {})

    asyncio.run(main())


def test_nobody_there_is_an_os_error() -> None:
    async def main() -> None:
        await HttpTransport("http://127.0.0.1:1", SystemClock()).send("GET", "/", {})

    with pytest.raises(OSError):
        asyncio.run(main())


@pytest.mark.parametrize("url", ["127.0.0.1:6443", "ftp://x", "https://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is not the URL of an API server"):
        HttpTransport(url, SystemClock(), tls=ssl.create_default_context())


def test_a_line_break_cannot_smuggle_a_header() -> None:
    async def main() -> None:
        await HttpTransport("http://127.0.0.1:1", SystemClock()).send("GET", "/", {"x": "a\r\nevil: b"})

    with pytest.raises(ValueError, match="line break"):
        asyncio.run(main())


def test_in_process_the_handler_gets_the_same_request() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        closed: list[bool] = []

        async def stream() -> AsyncIterator[bytes]:
            try:
                for number in range(100):
                    yield b"%d\n" % number
            finally:
                closed.append(True)

        async def handle(request: Request) -> Response:
            assert request.peer.identity == "somebody"
            if request.target == "/watch":
                return Response(200, stream())
            assert (request.method, request.headers["x"], await request.read(10)) == ("POST", "y", b"body")
            return Response(201, [b"a", b"b"], {"X-Answer": "z"})

        transport = HandlerTransport(handle, "somebody")
        answer = await transport.send("POST", "/", {"x": "y"}, b"body")
        assert (answer.status, answer.body) == (201, b"ab")
        assert answer.headers == {"content-type": "application/json", "x-answer": "z"}
        async with transport.stream("GET", "/watch", {}) as streamed:
            assert await anext(streamed.body) == b"0\n"
        assert closed == [True]

    run(main)


AUTHORITY = Authority.create("test", SystemClock().now())


def _issued(name: str, usage: Usage) -> KeyPair:
    return AUTHORITY.issue(name, addresses=("127.0.0.1",), usage=usage, now=SystemClock().now())


def test_a_renewed_pair_is_shown_from_then_on_and_watches_go_on() -> None:
    async def main() -> None:
        clock, go_on = SystemClock(), asyncio.Event()

        async def name_of(request: Request) -> Response:
            assert request.peer.certificate is not None
            name = common_name(request.peer.certificate).encode()

            async def twice() -> AsyncIterator[bytes]:
                yield name
                await go_on.wait()
                yield name

            return Response(200, twice() if request.target == "/watch" else name)

        tls = ServerTls(_issued("server", Usage.SERVER), AUTHORITY.certificate)
        async with serve(name_of, "127.0.0.1", 0, tls, clock) as listening:
            shown = client_context(AUTHORITY.certificate, _issued("old", Usage.CLIENT))
            transport = HttpTransport(f"https://127.0.0.1:{listening.port}", clock, tls=shown)
            async with transport.stream("GET", "/watch", {}) as watch:
                pieces = watch.body
                assert await anext(pieces) == b"old"
                assert (await transport.send("GET", "/", {})).body == b"old"
                transport.renew(_issued("new", Usage.CLIENT))
                assert [(await transport.send("GET", "/", {})).body for _ in range(2)] == [b"new"] * 2
                go_on.set()
                assert await anext(pieces) == b"old"
            await transport.close()

    asyncio.run(main())


def test_what_is_under_way_as_the_pair_is_renewed_is_answered_and_its_connection_given_up() -> None:
    connections = 0

    async def main() -> None:
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            while True:
                await _request(reader)
                asked.set()
                await go_on.wait()
                writer.write(_answer(b"ok"))

        async with _server(talk) as url, Tasks() as tasks:
            transport = HttpTransport(url, SystemClock())
            under_way = tasks.spawn(transport.send("GET", "/", {}), name="under way")
            await asked.wait()
            transport.renew(_issued("new", Usage.CLIENT))
            go_on.set()
            assert (await under_way).body == b"ok"
            assert [(await transport.send("GET", "/", {})).body for _ in range(2)] == [b"ok"] * 2
            await transport.close()

    asyncio.run(main())
    assert connections == 2
