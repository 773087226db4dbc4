"""HTTP/2 connections as a whole: many requests at once, limits, floods and ends. Abuse costs a bounded amount."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from h2.errors import ErrorCodes
from h2.events import PingAckReceived
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from fakes.http2_client import CLOCK, Client, client_tls, served, server_tls
from pilothouse.net.http import Request, Response
from pilothouse.net.http2_connection import Http2Connection
from pilothouse.net.http2_sending import STREAMS
from pilothouse.net.server import Limits, serve


async def _hello(request: Request) -> Response:
    return Response(200, request.target.encode())


def test_requests_do_not_wait_for_each_other() -> None:
    async def main() -> None:
        proceed = asyncio.Event()

        async def handler(request: Request) -> Response:
            if request.target == "/slow":
                await proceed.wait()
            return await _hello(request)

        async with served(handler) as (client, listening):
            slow = client.open("GET", "/slow")
            fast = [client.open("GET", f"/{number}") for number in range(100)]
            for index, number in enumerate(fast):
                assert (await client.answer(number)).body == f"/{index}".encode()
            assert not client.got[slow].ended
            proceed.set()
            assert (await client.answer(slow)).body == b"/slow"
            assert listening.connections == 1

    asyncio.run(main())


def test_what_it_offers() -> None:
    async def main() -> None:
        async with served(_hello) as (client, _):
            await client.ask()
            settings = client.engine.remote_settings
            assert settings.max_concurrent_streams == STREAMS == 250
            assert settings.max_header_list_size == Limits().header_bytes
            assert settings.enable_connect_protocol == 0

    asyncio.run(main())


def test_pings_are_answered() -> None:
    async def main() -> None:
        async with served(_hello) as (client, _):
            client.engine.ping(b"12345678")
            client.flush()
            await client.until(lambda: any(isinstance(event, PingAckReceived) for event in client.events))

    asyncio.run(main())


HEAD = [(":method", "GET"), (":scheme", "https"), (":authority", "x"), (":path", "/")]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([*HEAD, ("connection", "Upgrade"), ("upgrade", "SPDY/3.1")], 400),
        ([*HEAD, (":protocol", "websocket")], 400),
        ([*HEAD, ("Upper", "case")], 400),
        ([*HEAD, ("host", "other")], 400),
        (HEAD[:3], 400),
        ([*HEAD, *[(f"a{number}", "b") for number in range(300)]], 431),
    ],
)
def test_a_head_that_is_refused_costs_its_stream_alone(fields: list[tuple[str, str]], status: int) -> None:
    asked: list[str] = []

    async def handler(request: Request) -> Response:
        asked.append(request.target)
        return await _hello(request)

    async def main() -> None:
        async with served(handler) as (client, _):
            assert (await client.answer(client.open(fields=fields))).status == status
            assert asked == []
            assert (await client.ask("GET", "/next")).body == b"/next"

    asyncio.run(main())


def test_a_client_that_leaves_stops_all_its_handlers() -> None:
    async def main() -> None:
        running = 0
        changed = asyncio.Condition()

        async def count(by: int) -> None:
            nonlocal running
            running += by
            async with changed:
                changed.notify_all()

        async def handler(request: Request) -> Response:
            await count(1)
            try:
                await asyncio.Event().wait()
            finally:
                await count(-1)
            return Response(200)

        async with served(handler) as (client, listening), CLOCK.timeout(10), changed:
            for _ in range(5):
                client.open()
            await changed.wait_for(lambda: running == 5)
            client.writer.transport.abort()
            await changed.wait_for(lambda: running == 0)
            while listening.connections:
                await CLOCK.sleep(0)

    asyncio.run(main())


def test_leaving_the_door_says_goodbye_and_finishes_what_is_under_way() -> None:
    async def main() -> None:
        proceed, begun = asyncio.Event(), asyncio.Event()

        async def handler(request: Request) -> Response:
            begun.set()
            await proceed.wait()
            return await _hello(request)

        async def hold(port: asyncio.Future[int], leave: asyncio.Event) -> None:
            async with serve(handler, "127.0.0.1", 0, server_tls(), CLOCK, grace=5.0) as listening:
                port.set_result(listening.port)
                await leave.wait()

        async with asyncio.TaskGroup() as group, CLOCK.timeout(10):
            port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            leave = asyncio.Event()
            group.create_task(hold(port, leave))
            busy, idle = await Client.connect(await port), await Client.connect(await port)
            number = busy.open("GET", "/last")
            await begun.wait()
            leave.set()
            assert await idle.farewell() == ErrorCodes.NO_ERROR
            await busy.until(lambda: busy.gone is not None)
            assert busy.gone is not None
            assert busy.gone.last_stream_id == number
            head = busy.engine.encoder.encode(HEAD)
            busy.writer.write(HeadersFrame(number + 2, head, flags=["END_HEADERS", "END_STREAM"]).serialize())
            refusal = RstStreamFrame(number + 2, error_code=ErrorCodes.REFUSED_STREAM).serialize()
            data = b""
            while refusal not in data:
                data += await busy.reader.read(65536)
            proceed.set()
            while piece := await busy.reader.read(65536):
                data += piece
            assert b"/last" in data
            for client in (busy, idle):
                client.writer.transport.abort()
            await CLOCK.sleep(0)

    asyncio.run(main())


@pytest.mark.parametrize("code", [ErrorCodes.NO_ERROR, ErrorCodes.INTERNAL_ERROR])
def test_a_client_that_says_it_leaves_gets_what_it_has_asked_for(code: ErrorCodes) -> None:
    async def main() -> None:
        proceed, begun = asyncio.Event(), asyncio.Event()

        async def handler(request: Request) -> Response:
            begun.set()
            body = await request.read(1000)
            await proceed.wait()
            return Response(200, body * 100_000)

        async with served(handler) as (client, listening):
            slow = client.open("POST", "/slow", end=False)
            await begun.wait()
            ping = PingFrame(0, b"12345678").serialize()  # in one read with it: what is made before and behind is sent
            client.writer.write(ping + GoAwayFrame(0, last_stream_id=0, error_code=code).serialize() + ping)
            client.send(slow, b"abc", end=True)
            late = HeadersFrame(slow + 2, client.engine.encoder.encode(HEAD), flags=["END_HEADERS", "END_STREAM"])
            client.writer.write(late.serialize())
            refusal = RstStreamFrame(slow + 2, error_code=ErrorCodes.REFUSED_STREAM).serialize()
            wire = await _wire(client, refusal)
            assert [frame.error_code for frame in _frames(wire) if isinstance(frame, GoAwayFrame)] == [0]
            assert wire.count(b"12345678") == 2
            client.writer.write(WindowUpdateFrame(0, window_increment=1_000_000).serialize())
            client.writer.write(WindowUpdateFrame(slow, window_increment=1_000_000).serialize())
            proceed.set()
            wire = await _wire(client, None)
            assert sum(len(frame.data) for frame in _frames(wire) if isinstance(frame, DataFrame)) == 300_000
            async with CLOCK.timeout(10):
                while listening.connections:
                    await CLOCK.sleep(0)

    asyncio.run(main())


def test_a_client_that_leaves_while_nothing_is_under_way_is_shown_out() -> None:
    async def main() -> None:
        async with served(_hello) as (client, _):
            await client.ask()
            client.writer.write(GoAwayFrame(0).serialize())
            assert await client.farewell() == ErrorCodes.NO_ERROR

    asyncio.run(main())


async def _wire(client: Client, until: bytes | None) -> bytes:
    """What comes, up to some bytes or the end."""
    wire = b""
    async with CLOCK.timeout(10):
        while until is None or until not in wire:
            piece = await client.reader.read(65536)
            if not piece and until is None:
                break
            assert piece, "the connection has ended"
            wire += piece
    return wire


def _frames(wire: bytes) -> list[Frame]:
    found = []
    while wire:
        frame, length = Frame.parse_frame_header(memoryview(wire[:9]))
        frame.parse_body(memoryview(wire[9 : 9 + length]))
        found.append(frame)
        wire = wire[9 + length :]
    return found


def test_idle_connections_are_closed() -> None:
    async def main() -> None:
        async with served(_hello, limits=Limits(idle=0.05, head=5.0)) as (client, _):
            assert (await client.ask()).status == 200
            assert await client.farewell() == ErrorCodes.NO_ERROR
        async with served(_hello, limits=Limits(head=0.05)) as (client, _):
            assert await client.farewell() == ErrorCodes.NO_ERROR, "whoever asks for nothing leaves early"

    asyncio.run(main())


def test_a_connection_with_a_watch_is_not_idle() -> None:
    async def main() -> None:
        proceed = asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            yield b"one"
            await proceed.wait()
            yield b"two"

        async def handler(request: Request) -> Response:
            return Response(200, pieces())

        async with served(handler, limits=Limits(idle=0.02, head=0.5)) as (client, _):
            number = client.open()
            await client.until(lambda: client.got[number].body == b"one")
            await CLOCK.sleep(0.1)
            proceed.set()
            assert (await client.answer(number)).body == b"onetwo"

    asyncio.run(main())


# Abuse.


def _open(client: Client, number: int, *, end: bool = True) -> bytes:
    flags = ["END_HEADERS", "END_STREAM"] if end else ["END_HEADERS"]
    return HeadersFrame(number, client.engine.encoder.encode(HEAD), flags=flags).serialize()


def _rapid_reset(client: Client) -> bytes:
    streams = range(1, 2401, 2)
    return b"".join(_open(client, number) + RstStreamFrame(number, error_code=8).serialize() for number in streams)


def _many_times(frame: Frame, count: int = 3000) -> Callable[[Client], bytes]:
    return lambda client: _open(client, 1, end=False) + frame.serialize() * count


FLOODS: dict[str, Callable[[Client], bytes]] = {
    "rapid reset": _rapid_reset,
    "pings": _many_times(PingFrame(0, opaque_data=bytes(8))),
    "settings": _many_times(SettingsFrame(0, settings={4: 65_535})),
    "priorities": _many_times(PriorityFrame(1, depends_on=3)),
    "empty data": _many_times(DataFrame(1, b"")),
    "window by ones": _many_times(WindowUpdateFrame(1, window_increment=1)),
    "resets of nothing": _many_times(RstStreamFrame(1, error_code=8)),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_floods_end_the_connection_and_hurt_nobody_else(flood: str) -> None:
    begun = running = most = 0

    async def handler(request: Request) -> Response:
        nonlocal begun, running, most
        if request.target == "/other":
            return await _hello(request)
        begun += 1
        running += 1
        most = max(most, running)
        try:
            await request.read(100_000)
            await CLOCK.sleep(10)
        finally:
            running -= 1
        return Response(200)

    async def main() -> None:
        async with served(handler) as (client, listening), CLOCK.timeout(20):
            client.writer.write(FLOODS[flood](client))
            assert await client.farewell() in (ErrorCodes.ENHANCE_YOUR_CALM, None)
            while running:
                await CLOCK.sleep(0)
            assert begun <= 501
            assert most <= STREAMS
            other = await Client.connect(listening.port)
            assert (await other.ask("GET", "/other")).body == b"/other"
            await other.close()

    asyncio.run(main())


BROKEN: dict[str, tuple[Callable[[Client], bytes], set[int]]] = {
    "too many streams": (
        lambda client: b"".join(_open(client, number, end=False) for number in range(1, 503, 2)),
        {ErrorCodes.PROTOCOL_ERROR},
    ),
    "long head": (
        lambda _: (
            HeadersFrame(1, bytes(16_000)).serialize()
            + ContinuationFrame(1, b"\x40\x01a\x7f\x80\xff\x07" + b"b" * 16_000).serialize() * 20
        ),
        {ErrorCodes.PROTOCOL_ERROR, ErrorCodes.ENHANCE_YOUR_CALM, ErrorCodes.COMPRESSION_ERROR},
    ),
    "continuation without end": (
        lambda _: HeadersFrame(1, b"").serialize() + ContinuationFrame(1, b"x").serialize() * 500,
        {ErrorCodes.PROTOCOL_ERROR},
    ),
    "head as large as memory": (
        lambda client: HeadersFrame(
            1,
            client.engine.encoder.encode([*HEAD, ("a", "b" * 3000)])
            + client.engine.encoder.encode([("a", "b" * 3000)]) * 100,
            flags=["END_HEADERS", "END_STREAM"],
        ).serialize(),
        {ErrorCodes.ENHANCE_YOUR_CALM},
    ),
    "window overflow": (
        lambda _: WindowUpdateFrame(0, window_increment=2**31 - 1).serialize() * 2,
        {ErrorCodes.FLOW_CONTROL_ERROR},
    ),
    "window of nothing": (
        lambda _: b"\x00\x00\x04\x08\x00" + bytes(8),
        {ErrorCodes.PROTOCOL_ERROR},
    ),
    "frame too long": (lambda _: DataFrame(1, bytes(16_385)).serialize(), {ErrorCodes.FRAME_SIZE_ERROR}),
    "more than the window": (
        lambda client: _open(client, 1, end=False) + DataFrame(1, bytes(16_384)).serialize() * 17,
        {ErrorCodes.FLOW_CONTROL_ERROR},
    ),
    "broken compression": (
        lambda _: HeadersFrame(1, b"\xff\xff\xff\xff\xff", flags=["END_HEADERS"]).serialize(),
        {ErrorCodes.COMPRESSION_ERROR, ErrorCodes.PROTOCOL_ERROR},
    ),
    "stream of ours": (lambda client: _open(client, 2), {ErrorCodes.PROTOCOL_ERROR}),
    "data without head": (lambda _: DataFrame(1, b"abc" * 20).serialize(), {ErrorCodes.PROTOCOL_ERROR}),
    "body longer than said": (
        lambda client: (
            HeadersFrame(
                1, client.engine.encoder.encode([*HEAD, ("content-length", "1")]), flags=["END_HEADERS"]
            ).serialize()
            + DataFrame(1, b"abc" * 20).serialize()
        ),
        {ErrorCodes.PROTOCOL_ERROR},
    ),
    "settings out of range": (
        lambda _: SettingsFrame(0, settings={4: 2**31}).serialize(),
        {ErrorCodes.FLOW_CONTROL_ERROR, ErrorCodes.PROTOCOL_ERROR},
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_breaks_the_protocol_ends_the_connection(kind: str) -> None:
    async def handler(request: Request) -> Response:
        if request.target != "/other":
            await asyncio.Event().wait()
        return await _hello(request)

    async def main() -> None:
        make, codes = BROKEN[kind]
        async with served(handler) as (client, listening):
            client.writer.write(make(client))
            assert await client.farewell() in codes
            other = await Client.connect(listening.port)
            assert (await other.ask("GET", "/other")).body == b"/other"
            await other.close()

    asyncio.run(main())


def test_whoever_speaks_something_else_is_shown_out() -> None:
    async def main() -> None:
        async with served(_hello) as (client, listening):
            reader, writer = await _raw(listening.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
            async with CLOCK.timeout(5):
                while await reader.read(65536):
                    pass
            writer.transport.abort()
            assert (await client.ask()).status == 200

    asyncio.run(main())


async def _raw(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, ssl=client_tls("h2"))


def test_a_peer_that_reads_nothing_is_dropped_with_little_in_memory() -> None:
    made = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal made
        for _ in range(100_000):
            made += 1
            yield bytes(60_000)

    async def handler(request: Request) -> Response:
        return Response(200, pieces())

    async def main() -> None:
        async with served(handler, limits=Limits(write=0.3)) as (client, listening), CLOCK.timeout(10):
            client.engine.update_settings({4: 2**31 - 1})
            client.engine.increment_flow_control_window(2**31 - 1 - 65_535)
            client.open()
            while not made:
                await CLOCK.sleep(0.01)
            while listening.connections:
                await CLOCK.sleep(0.01)
            assert made < 500, "what the sockets hold, and not much more"

    asyncio.run(main())


def test_what_came_of_a_request_that_was_reset_at_once_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr(Http2Connection, "acknowledge", lambda _self, size, _stream: given.append(size))

    async def main() -> None:
        async with served(_hello) as (client, _):
            for _ in range(5):
                number = client.engine.get_next_available_stream_id()
                client.engine.send_headers(number, [(":method", "POST"), *HEAD[1:]])
                client.engine.send_data(number, bytes(1000))
                client.engine.reset_stream(number)
            client.flush()  # all in one piece
            await client.ask()
            assert sum(given) == 5000

    asyncio.run(main())
