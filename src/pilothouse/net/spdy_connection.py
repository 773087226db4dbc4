"""A SPDY/3.1 connection: streams over one ByteStream, for either side.

One task reads frames and hands bytes to streams. A stream whose reader is far behind stops the reading of all, as in
moby/spdystream: the protocol's own flow control is not spoken by anyone we meet.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from pilothouse.net.http import ByteStream
from pilothouse.net.spdy import (
    Data,
    Frame,
    GoAway,
    Ping,
    Reset,
    RstStream,
    SpdyDecoder,
    SpdyEncoder,
    SpdyError,
    SynReply,
    SynStream,
)
from pilothouse.runtime.tasks import Tasks

_HIGH_WATER = 1024 * 1024
_PIECE = 64 * 1024
_MAX_STREAMS = 1024


class SpdyStream:
    """One stream of a connection: a ByteStream with headers."""

    def __init__(self, connection: "SpdyConnection", number: int, headers: Mapping[str, str]) -> None:
        self.number = number
        self.headers = headers
        self._connection = connection
        self._pieces: deque[bytes] = deque()
        self._buffered = 0
        self._ended = False
        self._closed = False
        self._reset = ""
        self.replied = asyncio.Event()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def read(self) -> bytes:
        """The next bytes; empty at the end. Raises ConnectionError when the stream was reset or the connection lost."""
        while not self._pieces:
            if self._reset:
                raise ConnectionResetError(self._reset)
            if self._ended:
                return b""
            self._news.clear()
            await self._news.wait()
        piece = self._pieces.popleft()
        self._buffered -= len(piece)
        if self._buffered < _HIGH_WATER:
            self._room.set()
        return piece

    async def write(self, data: bytes) -> None:
        """Send, waiting while the peer is slow."""
        if self._closed or self._reset:
            raise ConnectionResetError(self._reset or "our half of the stream is closed")
        for start in range(0, len(data), _PIECE):
            await self._connection.send(Data(self.number, data[start : start + _PIECE]))

    async def finish(self) -> None:
        """Close our half."""
        if not self._closed and not self._reset:
            self._closed = True
            await self._connection.send(Data(self.number, b"", fin=True))
            self._connection.settle(self)

    async def reset(self) -> None:
        """End the stream at once."""
        if not self._reset and not self.over:
            self.drop("the stream was reset")
            with suppress(ConnectionError):
                await self._connection.send(RstStream(self.number, Reset.CANCEL))
            self._connection.settle(self)

    @property
    def over(self) -> bool:
        """Whether both halves are closed."""
        return bool(self._reset) or (self._ended and self._closed)

    async def deliver(self, data: bytes, *, fin: bool) -> None:
        """Bytes came for this stream; wait when its reader is far behind."""
        if data and not self._reset and not self._ended:
            self._pieces.append(data)
            self._buffered += len(data)
        self._ended = self._ended or fin
        self._news.set()
        if self._buffered >= _HIGH_WATER:
            self._room.clear()
            await self._room.wait()

    def drop(self, why: str) -> None:
        """Nothing more will come; `why` only matters to a stream that has not ended."""
        if not self._ended or not self._closed:
            self._reset = self._reset or why
        self._ended = True
        self._news.set()
        self._room.set()
        self.replied.set()


class SpdyConnection:
    """One side of a connection. Streams are opened with `open` and taken with `accept`."""

    def __init__(self, stream: ByteStream, *, client: bool) -> None:
        self._stream = stream
        self._client = client
        self._encoder = SpdyEncoder()
        self._decoder = SpdyDecoder()
        self._streams: dict[int, SpdyStream] = {}
        self._next = 1 if client else 2
        self._accepted: asyncio.Queue[SpdyStream | None] = asyncio.Queue()
        self._last = 0
        self.lost = False

    async def open(self, headers: Mapping[str, str]) -> SpdyStream:
        """Open a stream and wait until the peer accepts it. Raises ConnectionError when it refuses."""
        stream = SpdyStream(self, self._next, headers)
        self._next += 2
        self._streams[stream.number] = stream
        await self.send(SynStream(stream.number, headers))
        await stream.replied.wait()
        if stream.over:
            raise ConnectionResetError("the peer refused a stream")
        return stream

    async def accept(self) -> SpdyStream | None:
        """The next stream that the peer opens; None when there will be none."""
        return await self._accepted.get()

    async def send(self, frame: Frame) -> None:
        """Send one frame."""
        if self.lost:
            raise ConnectionResetError("the connection is lost")
        await self._stream.write(self._encoder.encode(frame))

    def settle(self, stream: SpdyStream) -> None:
        """Forget a stream whose halves are both closed."""
        if stream.over:
            self._streams.pop(stream.number, None)

    async def run(self) -> None:
        """Read frames until the connection ends."""
        try:
            while data := await self._stream.read():
                for frame in self._decoder.receive(data):
                    await self._take(frame)
        except SpdyError:
            await self._stream.close()
        except ConnectionError:
            pass
        finally:
            self.lost = True
            for stream in list(self._streams.values()):
                stream.drop("the connection is lost")
            self._streams.clear()
            self._accepted.put_nowait(None)

    async def close(self) -> None:
        """Say goodbye and close the connection."""
        if not self.lost:
            with suppress(ConnectionError):
                await self.send(GoAway(self._last))
        await self._stream.close()

    async def _take(self, frame: Frame) -> None:
        match frame:
            case SynStream():
                await self._opened(frame)
            case SynReply() if frame.stream in self._streams:
                self._streams[frame.stream].replied.set()
                await self._deliver(frame.stream, b"", fin=frame.fin)
            case Data():
                await self._deliver(frame.stream, frame.data, fin=frame.fin)
            case RstStream() if frame.stream in self._streams:
                self._streams.pop(frame.stream).drop("the peer reset the stream")
            case Ping() if (frame.number % 2 == 1) != self._client:
                await self.send(frame)
            case _:
                pass  # settings and windows bind nobody here; after a GOAWAY open streams go on

    async def _opened(self, frame: SynStream) -> None:
        if (frame.stream % 2 == 1) == self._client or frame.stream <= self._last:
            raise SpdyError("a stream has a number it must not have")
        self._last = frame.stream
        if len(self._streams) >= _MAX_STREAMS:
            await self.send(RstStream(frame.stream, Reset.REFUSED_STREAM))
            return
        stream = SpdyStream(self, frame.stream, frame.headers)
        self._streams[frame.stream] = stream
        await self.send(SynReply(frame.stream))
        if frame.fin:
            await stream.deliver(b"", fin=True)
        self._accepted.put_nowait(stream)

    async def _deliver(self, number: int, data: bytes, *, fin: bool) -> None:
        stream = self._streams.get(number)
        if stream is not None:
            await stream.deliver(data, fin=fin)
            self.settle(stream)


@asynccontextmanager
async def spdy_connection(stream: ByteStream, *, client: bool) -> AsyncIterator[SpdyConnection]:
    """A running connection over `stream`, which is closed on leaving."""
    connection = SpdyConnection(stream, client=client)
    async with Tasks() as tasks:
        tasks.spawn(connection.run(), name="spdy")
        try:
            yield connection
        finally:
            await connection.close()
