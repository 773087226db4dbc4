"""A client, a reverse proxy and a backend, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from pilothouse.net.dial import Reply, dial, read_reply, request_head
from pilothouse.net.forward import InvalidUpgrade, forward, forward_upgrade
from pilothouse.net.http import ByteStream, Handler, Request, Response
from pilothouse.net.server import serve
from pilothouse.net.stream import ConnectionStream
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()
Connect = Callable[[], Awaitable[ConnectionStream]]
SWITCH = {"Connection": "Upgrade", "Upgrade": "websocket"}


@asynccontextmanager
async def _to_port(port: int, **more: str) -> AsyncIterator[Connect]:
    async def pass_on(request: Request) -> Response:
        backend = await dial("127.0.0.1", port, None, CLOCK)
        try:
            if "upgrade" in request.headers:
                return await forward_upgrade(request, backend, request.target, more)
            return (await forward(request, backend, request.target, more)).response()
        except (ConnectionError, InvalidUpgrade) as error:
            return Response(503, str(error).encode(), content_type="text/plain")

    async with serve(pass_on, "127.0.0.1", 0, None, CLOCK, grace=0.1) as front, CLOCK.timeout(20):

        async def connect() -> ConnectionStream:
            return await dial("127.0.0.1", front.port, None, CLOCK)

        yield connect


@asynccontextmanager
async def _to(backend: Handler, **more: str) -> AsyncIterator[Connect]:
    """What connects to a proxy that passes everything on to `backend`."""
    async with serve(backend, "127.0.0.1", 0, None, CLOCK, grace=0.1) as behind, _to_port(behind.port, **more) as found:
        yield found


async def _ask(
    connect: Connect, method: str, headers: dict[str, str], body: bytes = b"", target: str = "/x?y=z"
) -> Reply:
    stream = await connect()
    await stream.write(request_head(method, target, {"Host": "front", **headers}) + body)
    return await read_reply(stream, method, headers.get("Upgrade", ""))


def test_what_a_backend_is_told() -> None:
    seen: list[Request] = []

    async def backend(request: Request) -> Response:
        seen.append(request)
        return Response(200, b"ok")

    async def main() -> None:
        async with _to(backend, **{"X-Forwarded-Uri": "/here"}) as connect:
            headers = {
                "Authorization": "Bearer secret", "Impersonate-User": "root", "X-Remote-User": "root",
                "Connection": "keep-alive, X-Mine", "X-Mine": "1", "Keep-Alive": "5", "TE": "trailers",
                "Proxy-Authorization": "x", "Cookie": "a=b", "X-Forwarded-For": "10.0.0.9", "X-Yours": "2",
            }  # fmt: skip
            reply = await _ask(connect, "PATCH", {**headers, "Content-Length": "3"}, b"abc")
            assert await reply.read(10) == b"ok"
        (request,) = seen
        assert (request.method, request.target) == ("PATCH", "/x?y=z")
        assert await request.read(10) == b"abc"
        assert dict(request.headers) == {
            "host": "front", "cookie": "a=b", "x-forwarded-for": "10.0.0.9, 127.0.0.1", "x-yours": "2",
            "x-forwarded-uri": "/here", "connection": "close", "content-length": "3",
        }  # fmt: skip

    asyncio.run(main())


def test_what_a_client_is_told() -> None:
    async def backend(request: Request) -> Response:
        headers = {"ETag": '"1"', "Keep-Alive": "5", "Proxy-Authenticate": "x"}
        cookies = (("Set-Cookie", "a=1; Expires=Thu, 01 Jan 1970"), ("Set-Cookie", "b=2"))
        return Response(404, b"gone", headers, "text/x", repeated=cookies)

    async def main() -> None:
        async with _to(backend) as connect:
            reply = await _ask(connect, "GET", {"Connection": "close"})
            assert await reply.read(10) == b"gone"
        assert reply.status == 404
        fields = [(name, value) for name, value in reply.fields if name != "Date"]
        assert fields == [
            ("Content-Type", "text/x"), ("ETag", '"1"'), ("Set-Cookie", "a=1; Expires=Thu, 01 Jan 1970"),
            ("Set-Cookie", "b=2"), ("Connection", "close"), ("Content-Length", "4"),
        ]  # fmt: skip
        assert len(reply.fields) == len(fields) + 1, "one Date, ours"

    asyncio.run(main())


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("chunked", [True, False])
def test_bodies_of_any_method_pass_both_ways(method: str, chunked: bool) -> None:
    async def backend(request: Request) -> Response:
        return Response(200, f"{request.method} {(await request.read(100)).decode()}".encode())

    async def main() -> None:
        async with _to(backend) as connect:
            how = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": "6"}
            reply = await _ask(connect, method, how, b"6\r\nabcdef\r\n0\r\n\r\n" if chunked else b"abcdef")
            assert await reply.read(100) == f"{method} abcdef".encode()

    asyncio.run(main())


def test_an_answer_to_head_has_a_length_and_no_body() -> None:
    async def backend(request: Request) -> Response:
        return Response(200, b"12345", content_type="text/plain")

    async def main() -> None:
        async with _to(backend) as connect:
            reply = await _ask(connect, "HEAD", {})
            assert (reply.status, reply.headers["content-length"]) == (200, "5")
            assert await reply.read(10) == b""

    asyncio.run(main())


def test_pieces_pass_as_they_come() -> None:
    async def main() -> None:
        more = asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            yield b"one"
            await more.wait()
            yield b"two"

        async def backend(request: Request) -> Response:
            return Response(200, pieces())

        async with _to(backend) as connect:
            reply = await _ask(connect, "GET", {})
            assert reply.headers["transfer-encoding"] == "chunked"
            assert await reply.body.__anext__() == b"one"
            more.set()
            assert await reply.read(10) == b"two"

    asyncio.run(main())


def test_an_answer_may_begin_before_the_question_is_whole() -> None:
    async def backend(request: Request) -> Response:
        assert not isinstance(request.body, bytes)
        return Response(200, request.body)

    async def main() -> None:
        async with _to(backend) as connect:
            stream = await connect()
            await stream.write(request_head("POST", "/", {"Host": "x", "Transfer-Encoding": "chunked"}))
            for word in (b"hello", b"again"):
                await stream.write(b"5\r\n%b\r\n" % word)
                if word == b"hello":
                    reply = await read_reply(stream, "POST")
                assert await reply.body.__anext__() == word
            await stream.write(b"0\r\n\r\n")
            assert await reply.read(10) == b""

    asyncio.run(main())


def test_who_reads_slowly_slows_down_who_sends() -> None:
    sent = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield bytes(64 * 1024)

    async def backend(request: Request) -> Response:
        return Response(200, pieces())

    async def main() -> None:
        async with _to(backend) as connect:
            reply = await _ask(connect, "GET", {})
            await reply.body.__anext__()
            before = -1
            while before != sent:  # until nothing moves any more
                before = sent
                await CLOCK.sleep(0.1)
            assert sent < 900
            await reply.close()

    asyncio.run(main())


def test_a_client_that_leaves_takes_the_backends_answer_along() -> None:
    async def main() -> None:
        closed = asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            try:
                yield b"one"
                await asyncio.Event().wait()
            finally:
                closed.set()

        async def backend(request: Request) -> Response:
            return Response(200, pieces())

        async with _to(backend) as connect:
            stream = await connect()
            await stream.write(request_head("GET", "/", {"Host": "x"}))
            reply = await read_reply(stream, "GET")
            await reply.body.__anext__()
            stream.abort()
            await closed.wait()

    asyncio.run(main())


def test_a_body_that_breaks_off_does_not_reach_the_backend_as_whole() -> None:
    async def main() -> None:
        broken, whole = asyncio.Event(), list[Request]()

        async def backend(request: Request) -> Response:
            try:
                await request.read(100)
                whole.append(request)
            finally:
                broken.set()
            return Response(200)

        async with _to(backend) as connect:
            stream = await connect()
            await stream.write(request_head("POST", "/", {"Host": "x", "Content-Length": "10"}) + b"abc")
            await CLOCK.sleep(0.05)
            stream.abort()
            await broken.wait()
            assert not whole

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"", 503, b"the server closed the connection without an answer"),
        (b"nonsense\r\n\r\n", 503, b"the answer is malformed"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", 503, b"unable to upgrade: missing upgrade"),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", 200, b"to the end"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    ],
)
def test_odd_backends(answer: bytes, status: int, body: bytes) -> None:
    async def serve_odd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve_odd, "127.0.0.1", 0)
        async with _to_port(server.sockets[0].getsockname()[1]) as connect:
            reply = await _ask(connect, "GET", {})
            found = await reply.read(1000)
            assert reply.status == status
            assert found.startswith(body)
        server.close()
        await CLOCK.sleep(0.01)

    asyncio.run(main())


def test_an_answer_that_breaks_off_ends_the_connection_rather_than_seem_whole() -> None:
    async def serve_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve_half, "127.0.0.1", 0)
        async with _to_port(server.sockets[0].getsockname()[1]) as connect:
            reply = await _ask(connect, "GET", {})
            with pytest.raises(ConnectionError):
                await reply.read(1000)
        server.close()
        await CLOCK.sleep(0.01)

    asyncio.run(main())


async def _shout(stream: ByteStream) -> None:
    while data := await stream.read():
        await stream.write(data.upper())


def test_an_upgrade_is_joined_with_the_headers_of_both_sides() -> None:
    seen: list[Request] = []

    async def backend(request: Request) -> Response:
        seen.append(request)
        return Response(101, b"", {**SWITCH, "Sec-WebSocket-Accept": "k", "X-App": "1"}, upgrade=_shout)

    async def main() -> None:
        async with _to(backend) as connect:
            stream = await connect()
            headers = {**SWITCH, "Host": "x", "Origin": "http://o", "Cookie": "a=b", "Authorization": "Bearer t"}
            await stream.write(request_head("GET", "/ws", headers))
            reply = await read_reply(stream, "GET", "websocket")
            assert reply.upgraded
            assert (reply.headers["sec-websocket-accept"], reply.headers["x-app"]) == ("k", "1")
            await stream.write(b"abc")
            assert await stream.read() == b"ABC"
            await stream.close()
        assert (seen[0].headers["origin"], seen[0].headers["cookie"]) == ("http://o", "a=b")
        assert "authorization" not in seen[0].headers

    asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "answered", "body"),
    [(403, 403, b"no"), (500, 500, b"no"), (200, 503, b"invalid upgrade response: status code 200")],
)
def test_only_a_101_joins(status: int, answered: int, body: bytes) -> None:
    async def backend(request: Request) -> Response:
        return Response(status, b"no", content_type="text/plain")

    async def main() -> None:
        async with _to(backend) as connect:
            reply = await _ask(connect, "GET", SWITCH)
            assert (reply.status, await reply.read(100)) == (answered, body)

    asyncio.run(main())
