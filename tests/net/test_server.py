"""The front door over real sockets, on asyncio's loop and on uvloop."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from pilothouse.net.http import ByteStream, Handler, Request, Response
from pilothouse.net.pki import Authority, Usage
from pilothouse.net.server import Limits, Listening, serve
from pilothouse.net.tls import ServerTls, client_context
from pilothouse.runtime.clock import SystemClock

CLOCK = SystemClock()
AUTHORITY = Authority.create("test", CLOCK.now())
SERVER = AUTHORITY.issue("server", (), ["localhost"], ["127.0.0.1"], usage=Usage.SERVER, now=CLOCK.now())

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def run_on_loop(work: Coroutine[Any, Any, None]) -> None:
        async def bounded() -> None:
            async with CLOCK.timeout(20):
                await work

        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(bounded())

    return run_on_loop


class Wire:
    """A client that writes and reads bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, text: str | bytes) -> None:
        self.writer.write(text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode("latin-1"))
        await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        return int(lines[0].split()[1]), dict(line.lower().split(": ", 1) for line in lines[1:] if line)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        status, headers = await self.head()
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await self.reader.readline(), 16):
                body += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readexactly(2)
            return status, headers, body
        return status, headers, await self.reader.readexactly(int(headers.get("content-length", "0")))

    async def ended(self) -> bool:
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True


@asynccontextmanager
async def _wire(listening: Listening, context: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", listening.port, ssl=context)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()
        await CLOCK.sleep(0)


def _door(handler: Handler, limits: Limits | None = None, grace: float = 5.0) -> Any:
    return serve(handler, "127.0.0.1", 0, None, CLOCK, limits=limits, grace=grace)


async def echo(request: Request) -> Response:
    body = await request.read(10_000_000)
    text = f"{request.method} {request.target} {len(body)}".encode()
    return Response(200, text, {"X-Seen": request.headers.get("x-test", "")}, "text/plain")


GET = "GET /a?b=c HTTP/1.1\nHost: x\n\n"


def test_an_answer_has_length_type_date_and_the_handlers_headers(run: Run) -> None:
    async def main() -> None:
        async with _door(echo) as listening, _wire(listening) as wire:
            await wire.send("GET /a?b=%20c HTTP/1.1\nHost: x\nX-Test: one\nx-test: two\n\n")
            status, headers, body = await wire.answer()
            assert (status, body) == (200, b"GET /a?b=%20c 0")
            assert headers.pop("date").endswith("gmt")
            assert headers == {"content-type": "text/plain", "content-length": "15", "x-seen": "one, two"}

    run(main())


def test_a_connection_serves_one_request_after_another(run: Run) -> None:
    async def main() -> None:
        async with _door(echo) as listening, _wire(listening) as wire:
            for _ in range(3):
                await wire.send(GET)
                assert (await wire.answer())[0] == 200
            await wire.send("GET /a HTTP/1.1\nHost: x\nConnection: close\n\n")
            assert (await wire.answer())[1]["connection"] == "close"
            assert await wire.ended()

    run(main())


def test_pipelined_requests_are_answered_in_order_one_at_a_time(run: Run) -> None:
    running = 0

    async def handle(request: Request) -> Response:
        nonlocal running
        running += 1
        assert running == 1
        await CLOCK.sleep(0.001)
        running -= 1
        return Response(200, request.target.encode() + await request.read(100))

    async def main() -> None:
        async with _door(handle) as listening, _wire(listening) as wire:
            posts = "".join(f"POST /{n} HTTP/1.1\nHost: x\nContent-Length: 2\n\nhi" for n in range(20))
            await wire.send(posts)
            for number in range(20):
                assert (await wire.answer())[2] == f"/{number}hi".encode()

    run(main())


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("GET http://x/a HTTP/1.1\nHost: x\n\n", 400),
        ("GET * HTTP/1.1\nHost: x\n\n", 400),
        ("OPTIONS * HTTP/1.1\nHost: x\n\n", 400),
        ("CONNECT x:80 HTTP/1.1\nHost: x\n\n", 400),
        ("GET /a#b HTTP/1.1\nHost: x\n\n", 400),
        ("GET /\xe4 HTTP/1.1\nHost: x\n\n", 400),
        ("GET /a\tb HTTP/1.1\nHost: x\n\n", 400),
        ("GET /a HTTP/1.1\n\n", 400),
        ("GET /a HTTP/1.1\nHost: x\nHost: x\n\n", 400),
        ("GET /a HTTP/1.1\nHost: x\nAuthorization: Bearer a\nAuthorization: Bearer b\n\n", 400),
        ("POST /a HTTP/1.1\nHost: x\nContent-Length: 1\nContent-Length: 1\n\na", 400),
        ("POST /a HTTP/1.1\nHost: x\nContent-Length: 1, 1\n\na", 400),
        ("POST /a HTTP/1.1\nHost: x\nContent-Length: +1\n\na", 400),
        ("POST /a HTTP/1.1\nHost: x\nContent-Length: -1\n\na", 400),
        ("POST /a HTTP/1.1\nHost: x\nContent-Length: 1\nTransfer-Encoding: chunked\n\n0\n\n", 400),
        ("POST /a HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nContent-Length: 1\n\n0\n\n", 400),
        ("POST /a HTTP/1.1\nHost: x\nTransfer-Encoding: gzip, chunked\n\n0\n\n", 400),
        ("POST /a HTTP/1.1\nHost: x\nTransfer-Encoding: chunked, identity\n\n0\n\n", 400),
        ("POST /a HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n0\n\n", 400),
        ("POST /a HTTP/1.0\nHost: x\nTransfer-Encoding: chunked\n\n0\n\n", 400),
        ("GET /a HTTP/1.1\nHost: x\nX-A: one\n two\n\n", 400),
        ("GET /a HTTP/1.1\nHost: x\nX-A : one\n\n", 400),
        ("GET /a HTTP/1.1\nHost: x\nX-A: o\x00e\n\n", 400),
        ("GET /a HTTP/1.1\nHost: x\nX-A: o\x1be\n\n", 400),
        ("GET /a HTTP/1.1\nHost: x\nX-A: o\x7fe\n\n", 400),
        ("GET /a HTTP/1.1\nHost: x\nX(A: one\n\n", 400),
        ("GET /a HTTP/1.1\nHost: x\nno colon\n\n", 400),
        ("GET /a HTTP/1.1\n Host: x\n\n", 400),
        ("GET /a HTTP/2.0\nHost: x\n\n", 505),
        ("GET /a\n\n", 505),
        ("\x16\x03\x01\x02\x00\x01\x00\x01", 400),
        ("POST /a HTTP/1.1\nHost: x\nExpect: a-miracle\nContent-Length: 1\n\n", 417),
        ("GET /a HTTP/1.1\nHost: x\nX-A: " + "a" * 200_000 + "\n\n", 431),
        ("GET /" + "a" * 200_000 + " HTTP/1.1\nHost: x\n\n", 431),
        ("GET /a HTTP/1.1\nHost: x\n" + "X-A: b\n" * 300 + "\n", 431),
    ],
)  # fmt: skip
def test_a_request_that_could_be_read_in_two_ways_is_refused(text: str, status: int) -> None:
    async def main() -> None:
        async with _door(echo) as listening, _wire(listening) as wire:
            await wire.send(text)
            found, headers, _ = await wire.answer()
            assert (found, headers["connection"]) == (status, "close")
            assert await wire.ended()

    asyncio.run(main())


def test_nothing_smuggled_behind_a_refused_request_is_handled() -> None:
    seen: list[str] = []

    async def handle(request: Request) -> Response:
        seen.append(request.target)
        return Response(200)

    async def main() -> None:
        async with _door(handle) as listening, _wire(listening) as wire:
            await wire.send(GET + "GET /bad HTTP/1.1\n\n" + "GET /secret HTTP/1.1\nHost: x\n\n")
            assert (await wire.answer())[0] == 200
            assert (await wire.answer())[0] == 400
            assert await wire.ended()

    asyncio.run(main())
    assert seen == ["/a?b=c"]


def test_a_body_that_came_whole_is_bytes_and_one_that_did_not_is_pieces(run: Run) -> None:
    kinds: list[str] = []

    async def handle(request: Request) -> Response:
        kinds.append("bytes" if isinstance(request.body, bytes) else "pieces")
        return Response(200, await request.read(10**9))

    async def main() -> None:
        async with _door(handle) as listening, _wire(listening) as wire:
            await wire.send("POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello")
            assert (await wire.answer())[2] == b"hello"
            await wire.send("POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3\nhel\n2;x=y\nlo\n0\nX-T: t\n\n")
            assert (await wire.answer())[2] == b"hello"
            large = b"x" * 3_000_000
            await wire.send(f"POST / HTTP/1.1\nHost: x\nContent-Length: {len(large)}\n\n")
            await asyncio.gather(wire.send(large), answered := asyncio.ensure_future(wire.answer()))  # noqa: TID251
            assert answered.result()[2] == large
            await wire.send("POST / HTTP/1.1\nHost: x\nContent-Length: 0\n\n")
            assert (await wire.answer())[2] == b""

    run(main())
    assert kinds == ["bytes", "bytes", "pieces", "bytes"]


def test_a_body_nobody_reads_stops_the_sender(run: Run) -> None:
    """Back-pressure: what a handler does not read stays with the client."""

    async def main() -> None:
        reading = asyncio.Event()

        async def handle(request: Request) -> Response:
            await reading.wait()
            return Response(200, str(len(await request.read(10**9))).encode())

        async with _door(handle) as listening, _wire(listening) as wire:
            size = 40_000_000
            await wire.send(f"POST / HTTP/1.1\nHost: x\nContent-Length: {size}\n\n")
            wire.writer.write(bytes(size))
            await CLOCK.sleep(0.2)
            assert wire.writer.transport.get_write_buffer_size() > size // 2
            reading.set()
            assert (await wire.answer())[2] == str(size).encode()

    run(main())


def test_continue_is_said_when_the_handler_asks_for_the_body(run: Run) -> None:
    async def handle(request: Request) -> Response:
        return Response(403) if request.target == "/no" else await echo(request)

    async def main() -> None:
        async with _door(handle) as listening:
            async with _wire(listening) as wire:
                await wire.send("PUT /yes HTTP/1.1\nHost: x\nContent-Length: 5\nExpect: 100-continue\n\n")
                assert (await wire.head())[0] == 100
                await wire.send("hello")
                assert (await wire.answer())[2] == b"PUT /yes 5"
            async with _wire(listening) as wire:
                await wire.send("PUT /no HTTP/1.1\nHost: x\nContent-Length: 5\nExpect: 100-continue\n\n")
                status, headers, _ = await wire.answer()
                assert (status, headers["connection"]) == (403, "close")

    run(main())


def test_an_answer_to_an_unread_body_arrives_before_the_connection_closes(run: Run) -> None:
    async def handle(request: Request) -> Response:
        return Response(413, b"too large")

    async def main() -> None:
        async with _door(handle) as listening, _wire(listening) as wire:
            await wire.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n" + bytes(500_000))
            assert (await wire.answer())[0] == 413
            await wire.send(bytes(400_000))
            assert await wire.ended()

    run(main())


def test_head_says_the_length_and_sends_no_body(run: Run) -> None:
    async def main() -> None:
        async with _door(echo) as listening, _wire(listening) as wire:
            await wire.send("HEAD /a HTTP/1.1\nHost: x\n\n" + GET)
            status, headers = await wire.head()
            assert (status, headers["content-length"]) == (200, "9")
            assert (await wire.answer())[2] == b"GET /a?b=c 0"

    run(main())


@pytest.mark.parametrize("status", [204, 304])
def test_some_answers_have_no_body(status: int) -> None:
    async def handle(request: Request) -> Response:
        return Response(status)

    async def main() -> None:
        async with _door(handle) as listening, _wire(listening) as wire:
            await wire.send(GET + GET)
            for _ in range(2):
                found, headers = await wire.head()
                assert found == status
                assert "content-length" not in headers

    asyncio.run(main())


@pytest.mark.parametrize("form", ["bytes", "pieces", "stream"])
def test_large_bodies_of_every_form(run: Run, form: str) -> None:
    whole = bytes(range(256)) * 12_000

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), 100_000):
            yield whole[start : start + 100_000]
            yield b""

    async def handle(request: Request) -> Response:
        if form == "bytes":
            return Response(200, whole)
        if form == "pieces":
            return Response(200, [whole[n : n + 1000] for n in range(0, len(whole), 1000)])
        return Response(200, pieces())

    async def main() -> None:
        async with _door(handle) as listening, _wire(listening) as wire:
            await wire.send(GET)
            assert (await wire.answer())[2] == whole
            await wire.send(GET)
            assert (await wire.answer())[2] == whole

    run(main())


def test_a_slow_reader_holds_a_slice_and_no_more(run: Run) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(100_000)

    async def handle(request: Request) -> Response:
        return Response(200, endless())

    async def main() -> None:
        async with _door(handle, Limits(write=0.2)) as listening, _wire(listening) as wire:
            wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await wire.send(GET)
            while listening.connections:
                await CLOCK.sleep(0.05)
            assert taken < 300

    run(main())


def test_an_old_client_gets_a_stream_until_the_end(run: Run) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async def handle(request: Request) -> Response:
        return Response(200, pieces())

    async def main() -> None:
        async with _door(handle) as listening, _wire(listening) as wire:
            await wire.send("GET / HTTP/1.0\n\n")
            status, headers = await wire.head()
            assert (status, headers["connection"], "transfer-encoding" in headers) == (200, "close", False)
            assert await wire.reader.read() == b"one two"

    run(main())


def test_a_failing_handler_answers_500_and_closes(run: Run) -> None:
    async def handle(request: Request) -> Response:
        raise LookupError("a bug")

    async def main() -> None:
        async with _door(handle) as listening, _wire(listening) as wire:
            await wire.send(GET)
            status, headers, body = await wire.answer()
            assert (status, headers["connection"], body) == (500, "close", b"Internal Server Error\n")
            assert await wire.ended()

    run(main())


def test_a_header_with_a_line_break_is_never_sent(run: Run) -> None:
    async def handle(request: Request) -> Response:
        return Response(200, b"", {"X-A": "b\r\nX-Evil: c"})

    async def main() -> None:
        async with _door(handle) as listening, _wire(listening) as wire:
            await wire.send(GET)
            status, headers, _ = await wire.answer()
            assert (status, "x-evil" in headers) == (500, False)

    run(main())


def test_a_stream_that_fails_breaks_off(run: Run) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"half"
        raise LookupError("a bug")

    async def handle(request: Request) -> Response:
        return Response(200, pieces())

    async def main() -> None:
        async with _door(handle) as listening, _wire(listening) as wire:
            await wire.send(GET)
            await wire.head()
            try:
                rest = await wire.reader.read()
            except ConnectionError:
                rest = b""
            assert not rest.endswith(b"0\r\n\r\n")

    run(main())


@pytest.mark.parametrize("streaming", [False, True])
def test_the_handler_is_cancelled_when_the_client_leaves(run: Run, streaming: bool) -> None:
    async def main() -> None:
        began, ended = asyncio.Event(), asyncio.Event()

        async def wait_forever() -> None:
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        async def pieces() -> AsyncIterator[bytes]:
            await wait_forever()
            yield b""

        async def handle(request: Request) -> Response:
            if not streaming:
                await wait_forever()
            return Response(200, pieces())

        async with _door(handle) as listening:
            async with _wire(listening) as wire:
                await wire.send(GET)
                await began.wait()
            await ended.wait()

    run(main())


def test_a_body_cut_short_reaches_no_handler_as_a_whole_one(run: Run) -> None:
    async def main() -> None:
        failures: list[str] = []
        over = asyncio.Event()

        async def handle(request: Request) -> Response:
            try:
                await request.read(1000)
            except BaseException as error:
                failures.append(type(error).__name__)
                raise
            finally:
                over.set()
            return Response(200)

        async with _door(handle) as listening:
            async with _wire(listening) as wire:
                await wire.send("POST / HTTP/1.1\nHost: x\nContent-Length: 5\n\nhel")
                await CLOCK.sleep(0.05)
            await over.wait()
            async with _wire(listening) as wire:
                await wire.send("POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n3\nhel\n")
                await CLOCK.sleep(0.05)
                await wire.send("not a size\n")
                assert (await wire.answer())[0] == 400
                assert await wire.ended()
        assert len(failures) == 2
        assert failures[1] == "BodyBroken"

    run(main())


async def _upgrade(stream: ByteStream) -> None:
    while data := await stream.read():
        await stream.write(data.upper())


async def switch(request: Request) -> Response:
    headers = {"Connection": "Upgrade", "Upgrade": "shout"}
    return Response(101, b"", headers, upgrade=_upgrade) if request.target == "/yes" else Response(403, b"no")


def test_an_upgrade_hands_over_the_connection_with_what_was_sent_early(run: Run) -> None:
    async def main() -> None:
        async with _door(switch) as listening:
            async with _wire(listening) as wire:
                await wire.send("POST /yes HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: shout\n\nearly ")
                status, headers = await wire.head()
                assert (status, headers["upgrade"]) == (101, "shout")
                assert await wire.reader.readexactly(6) == b"EARLY "
                await wire.send("GET / HTTP/1.1\n\n")
                assert await wire.reader.readexactly(18) == b"GET / HTTP/1.1\r\n\r\n"
                wire.writer.write_eof()
                assert await wire.ended()
            async with _wire(listening) as wire:
                await wire.send("POST /no HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: shout\n\n" + GET)
                assert (await wire.answer())[0] == 403
                assert await wire.ended()

    run(main())


def test_a_request_that_asks_for_no_upgrade_gets_none(run: Run) -> None:
    async def main() -> None:
        async with _door(switch) as listening, _wire(listening) as wire:
            await wire.send("GET /yes HTTP/1.1\nHost: x\n\n")
            assert (await wire.answer())[0] == 500

    run(main())


def test_slow_clients_are_timed_out(run: Run) -> None:
    async def main() -> None:
        limits = Limits(head=0.1, idle=0.1, body=0.1)
        async with _door(echo, limits) as listening:
            async with _wire(listening) as wire:
                await wire.send("GET /a HTTP/1.1\nHost:")
                assert (await wire.answer())[0] == 408
                assert await wire.ended()
            async with _wire(listening) as wire:
                assert await wire.ended()
            async with _wire(listening) as wire:
                await wire.send(GET)
                assert (await wire.answer())[0] == 200
                assert await wire.ended()
            async with _wire(listening) as wire:
                await wire.send("POST /a HTTP/1.1\nHost: x\nContent-Length: 9\n\nhalf")
                assert (await wire.answer())[0] == 408
                assert await wire.ended()

    run(main())


def test_a_slow_handler_is_not(run: Run) -> None:
    async def handle(request: Request) -> Response:
        await CLOCK.sleep(0.3)
        return Response(200)

    async def main() -> None:
        async with _door(handle, Limits(head=0.1, idle=0.1, body=0.1)) as listening, _wire(listening) as wire:
            await wire.send(GET)
            assert (await wire.answer())[0] == 200

    run(main())


def test_leaving_lets_answers_under_way_finish_and_closes_the_rest(run: Run) -> None:
    async def main() -> None:
        began = asyncio.Event()

        async def handle(request: Request) -> Response:
            if request.target == "/slow":
                began.set()
                await CLOCK.sleep(0.2)
            return Response(200, b"done")

        door = _door(handle)
        listening = await door.__aenter__()
        async with _wire(listening) as idle, _wire(listening) as slow:
            await idle.send(GET)
            await idle.answer()
            await slow.send("GET /slow HTTP/1.1\nHost: x\n\n")
            await began.wait()
            await door.__aexit__(None, None, None)
            status, headers, body = await slow.answer()
            assert (status, headers["connection"], body) == (200, "close", b"done")
            assert await idle.ended()
            with pytest.raises(OSError):
                await asyncio.open_connection("127.0.0.1", listening.port)

    run(main())


@pytest.mark.parametrize("target", ["/stuck", "/yes"])
def test_leaving_does_not_wait_for_ever(run: Run, target: str) -> None:
    async def main() -> None:
        began = asyncio.Event()

        async def handle(request: Request) -> Response:
            began.set()
            if request.target == "/stuck":
                await asyncio.Event().wait()
            return await switch(request)

        async with _door(handle, grace=0.1) as listening:
            _, writer = await asyncio.open_connection("127.0.0.1", listening.port)
            writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n".encode())
            await began.wait()
            await CLOCK.sleep(0.01)
        writer.transport.abort()
        await CLOCK.sleep(0)
        assert listening.connections == 0

    run(main())


def _tls(call: Callable[[Wire], Awaitable[None]], handler: Handler, *, named: bool) -> Coroutine[Any, Any, None]:
    async def main() -> None:
        client = AUTHORITY.issue("alice", ["devs"], usage=Usage.CLIENT, now=CLOCK.now()) if named else None
        tls = ServerTls(SERVER, AUTHORITY.certificate)
        async with (
            serve(handler, "127.0.0.1", 0, tls, CLOCK) as listening,
            _wire(listening, client_context(AUTHORITY.certificate, client)) as wire,
        ):
            await call(wire)

    return main()


@pytest.mark.parametrize("named", [True, False])
def test_over_tls_the_handler_sees_the_clients_certificate(run: Run, named: bool) -> None:
    async def handle(request: Request) -> Response:
        certificate = request.peer.certificate
        text = certificate.subject.rfc4514_string() if certificate is not None else "nobody"
        assert request.peer.address.startswith("127.0.0.1:")
        return Response(200, text.encode())

    async def call(wire: Wire) -> None:
        await wire.send(GET)
        assert (await wire.answer())[2] == (b"CN=alice,O=devs" if named else b"nobody")

    run(_tls(call, handle, named=named))


def test_an_upgrade_over_tls(run: Run) -> None:
    async def call(wire: Wire) -> None:
        await wire.send("POST /yes HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: shout\n\nearly")
        assert (await wire.head())[0] == 101
        assert await wire.reader.readexactly(5) == b"EARLY"
        await wire.send(b"x" * 2_000_000)
        assert await wire.reader.readexactly(2_000_000) == b"X" * 2_000_000

    run(_tls(call, switch, named=False))


def test_a_port_in_use_is_an_os_error(run: Run) -> None:
    async def main() -> None:
        async with _door(echo) as listening:
            with pytest.raises(OSError, match="address already in use"):
                async with serve(echo, "127.0.0.1", listening.port, None, CLOCK):
                    pass

    run(main())


def test_an_answer_that_cannot_be_sent_is_no_other_connections_fault(run: Run) -> None:
    async def handle(request: Request) -> Response:
        return Response(200, ["text"]) if request.target == "/bad" else await echo(request)  # type: ignore[list-item]

    async def main() -> None:
        async with _door(handle) as listening, _wire(listening) as wire, _wire(listening) as other:
            await wire.send("GET /bad HTTP/1.1\nHost: x\n\n")
            assert await wire.ended()
            await other.send(GET)
            assert (await other.answer())[0] == 200

    run(main())
