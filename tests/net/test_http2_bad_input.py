"""HTTP/2 and frames that are no good: each kind with odd flags, streams and payloads, in any order, from a seed.

Whatever comes, nothing crashes, what the server sends are frames, a connection that ends says why in its last one, what
it holds meanwhile is bounded, and the next client is served. Sockets are left out: what asyncio calls is called here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random  # noqa: TID251 - what is sent is to be the same every time

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from hpack import Encoder
from hyperframe.frame import (
    AltSvcFrame,
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from pilothouse.net.door import Door, Limits
from pilothouse.net.http import BodyTooLarge, Request, Response
from pilothouse.net.http2_connection import Http2Connection
from pilothouse.net.http2_sending import CONNECTION_WINDOW, STREAMS
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks
from pilothouse.testing.loop import run

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = [(":method", "POST"), (":scheme", "https"), (":authority", "x"), (":path", "/a")]
REASONS = {
    ErrorCodes.NO_ERROR, ErrorCodes.PROTOCOL_ERROR, ErrorCodes.FLOW_CONTROL_ERROR, ErrorCodes.STREAM_CLOSED,
    ErrorCodes.FRAME_SIZE_ERROR, ErrorCodes.COMPRESSION_ERROR, ErrorCodes.ENHANCE_YOUR_CALM,
    ErrorCodes.SETTINGS_TIMEOUT,
}  # fmt: skip
"""What a client can be told that it did."""


class _Wire(asyncio.Transport):
    """What a connection writes to, and how it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = bytearray()
        self.protocol: Http2Connection | None = None
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def writelines(self, list_of_data: object) -> None:
        for piece in list_of_data:  # type: ignore[attr-defined]
            self.sent += piece

    def is_closing(self) -> bool:
        return self.closing

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("127.0.0.1", 1) if name == "peername" else default

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def abort(self) -> None:
        self.close()

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            assert self.protocol is not None
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


class Talk:
    """One server, to which many talk one after the other."""

    def __init__(self, clock: LoopClock, tasks: Tasks) -> None:
        self.clock = clock
        self.handled: list[Request] = []
        self.running = self.most = 0
        self.door = Door(self._handle, clock, Limits(header_bytes=4096, header_count=20), tasks)

    async def _handle(self, request: Request) -> Response:
        self.handled.append(request)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            return Response(200, str(len(await request.read(100_000))).encode())
        except BodyTooLarge:
            return Response(413)
        finally:
            self.running -= 1

    async def say(self, data: bytes, pieces: int, *, leave: bool = False) -> list[Frame]:
        """Send the bytes in so many pieces; the frames that came back by the time the connection had ended."""
        wire = _Wire()
        connection = wire.protocol = Http2Connection(self.door)
        connection.connection_made(wire)
        size = min(-(-len(data) // pieces) or 1, len(self.door.arriving))
        for start in range(0, len(data), size):
            if wire.closing:
                break
            part = data[start : start + size]
            connection.get_buffer(-1)[: len(part)] = part
            connection.buffer_updated(len(part))
            await self.clock.sleep(0)
        if leave:
            wire.close()
        while connection in self.door.connections:
            await self.clock.sleep(1.0)
        return _frames(bytes(wire.sent))


def _frames(data: bytes) -> list[Frame]:
    found: list[Frame] = []
    while data:
        frame, length = Frame.parse_frame_header(memoryview(data[:9]))
        frame.parse_body(memoryview(data[9 : 9 + length]))
        found.append(frame)
        data = data[9 + length :]
    return found


def _talk(story: Callable[[Talk], Awaitable[None]], monkeypatch: pytest.MonkeyPatch) -> None:
    crashes: list[object] = []
    monkeypatch.setattr(Log, "crash", lambda _log, message, **more: crashes.append((message, more)))

    async def main(clock: LoopClock, _chance: Chance) -> None:
        async with Tasks() as tasks:
            await story(Talk(clock, tasks))
            tasks.cancel_all()

    run(main)
    assert crashes == []


def _ended_well(frames: Sequence[Frame], sent: bytes) -> None:
    """Whether a client can tell what became of it."""
    assert isinstance(frames[0], SettingsFrame), sent
    farewells = [frame for frame in frames if isinstance(frame, GoAwayFrame)]
    for farewell in farewells:
        assert farewell.error_code in REASONS, sent
    reasons = [farewell for farewell in farewells if farewell.error_code != ErrorCodes.NO_ERROR]
    assert len(reasons) <= 1, sent
    assert reasons == [] or frames[-1] is reasons[0], sent


def _greeting() -> bytes:
    engine = H2Connection(H2Configuration(client_side=True))
    engine.initiate_connection()
    return engine.data_to_send()


class Sender:
    """Makes frames, most of them nearly right."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.encoder = Encoder()
        self.next = 1

    def stream(self) -> int:
        """Most often one that there is, or could be."""
        last = max(1, self.next - 2)
        return self.chance.choice((last,) * 12 + (1, 1, self.next, 0, 2, 2**31 - 1))

    def head(self) -> bytes:
        fields = list(HEAD)
        if self.chance.random() < 0.3:
            odd = (
                (":path", ""), (":path", "x"), (":method", "GET"), ("A", "b"), ("", "x"), (":status", "200"),
                ("content-length", "5"), ("content-length", "x"), ("connection", "close"), ("te", "gzip"),
                ("a", "b\r\nc"), ("host", "y"), ("cookie", "a"), ("transfer-encoding", "chunked"), ("a", "b" * 5000),
            )  # fmt: skip
            fields.insert(self.chance.randrange(len(fields) + 1), self.chance.choice(odd))
        if self.chance.random() < 0.05:
            del fields[self.chance.randrange(len(fields))]
        encoded: bytes = self.encoder.encode(fields)
        if self.chance.random() < 0.05:
            encoded = encoded[: self.chance.randrange(len(encoded))]
        return encoded

    def opened(self) -> bytes:
        """A request, in one piece or two."""
        number, self.next = self.next, self.next + 2
        head = self.head()
        end = ["END_STREAM"] if self.chance.random() < 0.5 else []
        if self.chance.random() < 0.7:
            return HeadersFrame(number, head, flags=["END_HEADERS", *end]).serialize()
        cut = self.chance.randrange(len(head) + 1)
        rest = ContinuationFrame(number, head[cut:], flags=["END_HEADERS"]).serialize()
        return HeadersFrame(number, head[:cut], flags=end).serialize() + self.chance.choice((rest, rest, b"", rest * 2))

    def frame(self) -> bytes:
        """Any frame; more often one that is allowed almost anywhere."""
        chance, any_stream = self.chance, self.stream()
        stream = max(1, any_stream)
        tame: tuple[Frame, ...] = (
            PingFrame(0, opaque_data=b"12345678"),
            SettingsFrame(0, settings={chance.choice((1, 4)): chance.choice((0, 1, 100, 65_535))}),
            WindowUpdateFrame(any_stream, window_increment=chance.choice((1, 65_535))),
            PriorityFrame(stream, depends_on=any_stream, stream_weight=chance.randrange(256)),
            DataFrame(stream, b"x" * chance.choice((0, 1, 5, 1000))),
            RstStreamFrame(stream, error_code=8),
            ExtensionFrame(type=0x99, stream_id=any_stream, flag_byte=255, body=b"x"),
        )
        wild: tuple[Frame, ...] = (
            DataFrame(stream, b"x" * chance.choice((0, 1, 5, 1000, 16_384))),
            DataFrame(stream, b"abc", flags=["END_STREAM"]),
            DataFrame(stream, b"abc", pad_length=chance.choice((0, 2, 255)), flags=["PADDED"]),
            HeadersFrame(stream, self.head(), flags=["END_HEADERS", "END_STREAM"]),
            ContinuationFrame(stream, b"x" * chance.choice((0, 1, 16_384)), flags=chance.choice(([], ["END_HEADERS"]))),
            RstStreamFrame(stream, error_code=chance.choice((0, 8, 2**32 - 1))),
            SettingsFrame(0, settings={chance.randrange(1, 9): chance.choice((0, 1, 100, 16_384, 2**31 - 1))}),
            SettingsFrame(0, flags=["ACK"]),
            PushPromiseFrame(stream, promised_stream_id=2, data=b"x", flags=["END_HEADERS"]),
            PingFrame(0, opaque_data=b"12345678", flags=chance.choice(([], ["ACK"]))),
            GoAwayFrame(0, last_stream_id=1, error_code=chance.choice((0, 2))),
            WindowUpdateFrame(any_stream, window_increment=chance.choice((1, 65_535, 2**31 - 1))),
            AltSvcFrame(0, origin=b"x", field=b"y"),
        )
        data = bytearray(chance.choice(tame if chance.random() < 0.8 else wild).serialize())
        if chance.random() < 0.05:  # another length, kind, flags or stream than belongs to it
            data[chance.choice((1, 2, 3, 4, 8))] = chance.choice((0, 1, 4, 5, 8, 255))
        return bytes(data)

    def talk(self) -> bytes:
        """What one client says."""
        chance = self.chance
        pieces = [chance.choice((_greeting(), _greeting(), _greeting(), PREFACE, b"", PREFACE[:10]))]
        for _ in range(chance.randrange(1, 25)):
            garbage = chance.randbytes(chance.randrange(60))
            make = chance.choices((self.opened, self.frame, lambda: garbage), (5, 6, 0.1))[0]  # noqa: B023 - called here
            pieces.append(make())
        return b"".join(pieces)


@pytest.mark.parametrize("seed", range(4))
def test_frames_in_any_order(seed: int, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(f"{pytestconfig.getoption('--from')}{seed}")

    async def story(talk: Talk) -> None:
        for _ in range(5 * pytestconfig.getoption("--examples")):
            data = Sender(chance).talk()
            _ended_well(await talk.say(data, chance.choice((1, 1, 2, 7, 100)), leave=chance.random() < 0.2), data)
            assert talk.running == 0
        assert talk.handled, "some of it is good"
        for request in talk.handled:
            assert request.target == "/a"
        good = HeadersFrame(1, Encoder().encode(HEAD), flags=["END_HEADERS", "END_STREAM"]).serialize()
        answered = await talk.say(_greeting() + good, 1)
        assert b"0" in [frame.data for frame in answered if isinstance(frame, DataFrame)], "it serves the next"

    _talk(story, monkeypatch)


def _opening(number: int, *, flags: Sequence[str] = ("END_HEADERS",), encoder: Encoder | None = None) -> bytes:
    return HeadersFrame(number, (encoder or Encoder()).encode(HEAD), flags=flags).serialize()


FLOODS: dict[str, tuple[bytes, set[ErrorCodes]]] = {
    "rapid reset": (
        b"".join(_opening(n) + RstStreamFrame(n, error_code=8).serialize() for n in range(1, 4001, 2)),
        {ErrorCodes.ENHANCE_YOUR_CALM},
    ),
    "reset by what we must refuse": (  # each makes us reset a stream: no frame of the client's is a reset
        b"".join(_opening(n) + WindowUpdateFrame(n, window_increment=2**31 - 1).serialize() for n in range(1, 8001, 2)),
        {ErrorCodes.ENHANCE_YOUR_CALM},
    ),
    "continuations": (
        HeadersFrame(1, b"").serialize() + ContinuationFrame(1, b"\x00" * 16_000).serialize() * 100,
        {ErrorCodes.PROTOCOL_ERROR, ErrorCodes.ENHANCE_YOUR_CALM},
    ),
    "empty continuations": (
        HeadersFrame(1, b"").serialize() + ContinuationFrame(1, b"").serialize() * 5000,
        {ErrorCodes.PROTOCOL_ERROR, ErrorCodes.ENHANCE_YOUR_CALM},
    ),
    "a head that is small and means much": (
        HeadersFrame(1, Encoder().encode([("a", "b" * 4000)]) + b"\xbe" * 10_000, flags=["END_HEADERS"]).serialize(),
        {ErrorCodes.ENHANCE_YOUR_CALM, ErrorCodes.COMPRESSION_ERROR, ErrorCodes.PROTOCOL_ERROR},
    ),
    "a window of nothing, again and again": (
        _opening(1) + b"\x00\x00\x04\x08\x00\x00\x00\x00\x01\x00\x00\x00\x00" * 5000,
        {ErrorCodes.ENHANCE_YOUR_CALM, ErrorCodes.PROTOCOL_ERROR},
    ),
    "windows that shrink and grow": (
        b"".join(SettingsFrame(0, settings={4: size % 2 * 65_535}).serialize() for size in range(5000)),
        {ErrorCodes.ENHANCE_YOUR_CALM},
    ),
    "frames of no known kind": (
        ExtensionFrame(type=0x99, stream_id=0, flag_byte=0, body=b"").serialize() * 5000,
        {ErrorCodes.ENHANCE_YOUR_CALM},
    ),
    "acknowledgements of nothing": (
        SettingsFrame(0, flags=["ACK"]).serialize() * 5000,
        {ErrorCodes.ENHANCE_YOUR_CALM, ErrorCodes.PROTOCOL_ERROR},
    ),
}


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("pieces", [1, 1000])
def test_a_flood_ends_and_says_why(flood: str, pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data, codes = FLOODS[flood]

    async def story(talk: Talk) -> None:
        frames = await talk.say(_greeting() + data, pieces)
        _ended_well(frames, b"")
        assert isinstance(frames[-1], GoAwayFrame)
        assert frames[-1].error_code in codes
        assert talk.most <= STREAMS
        assert len(talk.handled) <= 4000
        assert sum(len(frame.serialize()) for frame in frames) < 200_000, "no more comes back than was sent"

    _talk(story, monkeypatch)


def test_a_client_that_leaves_or_falls_silent_after_every_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    data = DataFrame(1, b"abc", flags=["END_STREAM"]).serialize()
    whole = _greeting() + _opening(1) + data + PingFrame(0, opaque_data=b"12345678").serialize()

    async def story(talk: Talk) -> None:
        for end in range(len(whole)):
            for leave in (True, False):
                _ended_well(await talk.say(whole[:end], 2, leave=leave), whole[:end])
                assert talk.running == 0

    _talk(story, monkeypatch)


def test_bodies_that_nobody_reads_hold_no_more_than_the_connection_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stream has a window; together they have one, too."""
    held: list[int] = []

    async def story(talk: Talk) -> None:
        wire = _Wire()

        async def wait(request: Request) -> Response:
            talk.handled.append(request)
            await asyncio.Event().wait()
            return Response(200)

        talk.door.handler = wait
        connection = wire.protocol = Http2Connection(talk.door)
        connection.connection_made(wire)
        encoder = Encoder()
        frames = [_greeting(), *(_opening(2 * n + 1, encoder=encoder) for n in range(STREAMS))]
        frames += [DataFrame(2 * n + 1, b"x" * 16_000).serialize() for _ in range(16) for n in range(STREAMS)]
        for frame in frames:
            if wire.closing:
                break
            connection.get_buffer(-1)[: len(frame)] = frame
            connection.buffer_updated(len(frame))
            held.append(sum(len(piece) for stream in connection._streams.values() for piece in _pieces(stream)))
            await talk.clock.sleep(0)
        wire.close()
        while connection in talk.door.connections:
            await talk.clock.sleep(1.0)
        last = _frames(bytes(wire.sent))[-1]
        assert isinstance(last, GoAwayFrame)
        assert last.error_code == ErrorCodes.FLOW_CONTROL_ERROR

    _talk(story, monkeypatch)
    assert 8 * 1024 * 1024 < max(held) <= CONNECTION_WINDOW


def _pieces(stream: object) -> Sequence[bytes]:
    body = stream.arrival and stream.arrival.body  # type: ignore[attr-defined]
    return body._pieces if body is not None else ()
