"""A client's connection of gRPC: HTTP/2 as far as unary calls and streams need it, in the loop that asks.

The library for gRPC brings threads of its own and hands every call from one to the next, which costs several times
what the call does. Here a call is one write, and its answer is read where it arrives.

The connection goes by itself when it is silent though something is asked of it. Once it is told to take no more calls
(GOAWAY) it serves those that it has. Source: RFC 9113; grpc/doc/PROTOCOL-HTTP2.md.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from math import inf
from typing import cast

from pilothouse.net import http2_frames as frames
from pilothouse.net.grpc_frames import GrpcCode, GrpcError, HeadReader, outcome, prefixed, time_limit
from pilothouse.net.grpc_stream import WINDOW, GrpcStream
from pilothouse.net.http2_frames import FIRST_WINDOW, FrameError, Reason, frame, numbered
from pilothouse.runtime.clock import Clock

_ALL_WINDOW = 1 << 30
"""Bytes that all streams together may be sent before we have told that more may come."""
QUIET = 10.0
"""Seconds of silence after which we ask whether anybody is there, and as many again to wait."""
_SUSPECT = 2.0
"""A call's time is over, and nothing was heard for this long: others had better try another connection."""
_LAST_NUMBER = 1 << 30
"""Streams have numbers, and connections run out of them."""


class GrpcConnection(asyncio.BufferedProtocol):
    """One connection; `on_lost` is told when it is gone. It `asks` a silent server for a sign of life."""

    def __init__(self, clock: Clock, on_lost: Callable[["GrpcConnection"], None], *, asks: bool = True) -> None:
        self._asks = asks
        self._clock = clock
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._arriving = memoryview(bytearray(256 * 1024))
        self._frames = frames.FrameReader()
        self._heads = HeadReader()
        self._streams: dict[int, GrpcStream] = {}
        self._next = 1
        self._most = _LAST_NUMBER
        self._queue: deque[asyncio.Future[None]] = deque()
        self._room = FIRST_WINDOW
        self._stream_room = FIRST_WINDOW
        self._owed = 0
        self._heard = clock.monotonic()
        self._asked = -inf
        """When we asked for a sign of life."""
        self._quiet_timer: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = inf
        self._gone = False
        self.retired = False
        """Whether it takes no more calls."""
        self._loop = asyncio.get_running_loop()
        self._leaving: list[bytes] = []
        self.ready: asyncio.Future[None] = self._loop.create_future()
        """Done once the other side has spoken."""
        self.lost: asyncio.Future[None] = self._loop.create_future()

    # What callers do.

    async def call(self, head: bytes, message: bytes, seconds: float) -> bytes:
        """A unary call. Raises GrpcError."""
        ends = self._clock.monotonic() + seconds
        if len(self._streams) >= self._most:
            await self._turn(seconds)
        if ends < self._due:
            self._set_timer(ends)
        stream = self._open(head + time_limit(seconds), ends, message)
        try:
            return await stream.answer()
        finally:
            if not stream.ended:
                self.drop(stream)

    async def stream(self, head: bytes) -> GrpcStream:
        """Open a call that lasts. Raises GrpcError."""
        if len(self._streams) >= self._most:
            await self._turn(QUIET)
        return self._open(head, inf)

    def drop(self, stream: GrpcStream) -> None:
        """Give a call up."""
        self._end(stream, GrpcError(GrpcCode.CANCELLED, "the call was given up"))

    def send(self, stream: GrpcStream) -> None:
        """Send as much as there is room for."""
        data = self._sendable(stream)
        if data:
            self._write(data)

    def grant(self, stream: GrpcStream, size: int) -> None:
        """Let so many bytes more come."""
        if not stream.ended:
            self._write(numbered(frames.WINDOW_UPDATE, stream.number, size))

    def end_lasting(self, error: GrpcError) -> None:
        """End all calls that last."""
        for stream in [each for each in self._streams.values() if each.lasting]:
            self._end(stream, error)

    def retire(self) -> None:
        """Take no more calls, and go when there are none."""
        self.retired = True
        self._wake_queue()
        if not self._streams:
            self.abort()

    def abort(self) -> None:
        """Go at once."""
        self._gone = self.retired = True
        for timer in (self._timer, self._quiet_timer):
            if timer is not None:
                timer.cancel()
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say how we speak."""
        self._transport = cast("asyncio.Transport", transport)
        wanted = {frames.HEADER_TABLE_SIZE: 0, frames.ENABLE_PUSH: 0, frames.INITIAL_WINDOW: WINDOW}
        more = numbered(frames.WINDOW_UPDATE, 0, _ALL_WINDOW - FIRST_WINDOW)
        self._write(frames.PREFACE + frames.settings(wanted) + more)
        if self._asks:
            self._quiet_timer = self._clock.call_later(QUIET, self._look)

    def get_buffer(self, _hint: int) -> memoryview:
        """Where to put what has come."""
        return self._arriving

    def buffer_updated(self, count: int) -> None:
        """Read what has come."""
        self._heard = self._clock.monotonic()
        try:
            for each in self._frames.feed(bytes(self._arriving[:count])):
                self._take(each)
        except FrameError as error:
            self._fail(f"the connection is broken: {error}")

    def eof_received(self) -> None:
        """The other side says nothing more, so nothing more is asked."""
        self._gone = self.retired = True

    def connection_lost(self, error: Exception | None) -> None:
        """All calls fail with it."""
        self._fail(f"the connection is lost: {error or 'it was closed'}")
        self._wake_queue()
        if not self.ready.done():
            self.ready.set_result(None)
        self.lost.set_result(None)
        self._on_lost(self)

    # Frames that come.

    def _take(self, each: frames.Frame) -> None:
        kind, flags, number, payload = each
        if self._heads.halfway and kind != frames.CONTINUATION:
            raise FrameError("something inside of a head")
        if kind == frames.DATA:
            self._take_data(flags, number, payload)
        elif kind in (frames.HEADERS, frames.CONTINUATION):
            self._take_head(each)
        elif kind == frames.WINDOW_UPDATE:
            self._take_room(number, frames.read_number(payload))
        elif kind == frames.SETTINGS and not flags & frames.ACK:
            self._take_settings(payload)
        elif kind == frames.PING and not flags & frames.ACK:
            self._write(frame(frames.PING, frames.ACK, 0, payload))
        elif kind == frames.RST_STREAM:
            self._take_reset(number, frames.read_number(payload))
        elif kind == frames.GOAWAY:
            self._take_farewell(frames.read_number(payload))
        elif kind == frames.PUSH_PROMISE:
            raise FrameError("a push, which was refused")

    def _take_data(self, flags: int, number: int, payload: bytes) -> None:
        size = len(payload)
        self._owed += size
        if self._owed >= _ALL_WINDOW // 2:
            self._write(numbered(frames.WINDOW_UPDATE, 0, self._owed))
            self._owed = 0
        stream = self._streams.get(number)
        if stream is None:
            return
        stream.receive(frames.unpadded(flags, payload), size)
        if flags & frames.END_STREAM:
            self._end(stream, GrpcError(GrpcCode.INTERNAL, "an answer without its end"))

    def _take_head(self, each: frames.Frame) -> None:
        complete = self._heads.feed(each)
        if complete is None:
            return
        number, last, fields = complete
        stream = self._streams.get(number)
        if stream is not None and (last or fields.get(":status") != "200"):
            self._end(stream, outcome(fields), heard=last)

    def _take_room(self, number: int, more: int) -> None:
        if number == 0:
            self._room += more
            self._send_pending()
        elif (stream := self._streams.get(number)) is not None:
            stream.room += more
            self.send(stream)

    def _take_settings(self, payload: bytes) -> None:
        for name, value in frames.read_settings(payload):
            if name == frames.INITIAL_WINDOW:
                more, self._stream_room = value - self._stream_room, value
                for stream in self._streams.values():
                    stream.room += more
            elif name == frames.MOST_STREAMS:
                self._most = value
        self._write(frame(frames.SETTINGS, frames.ACK, 0))
        if not self.ready.done():
            self.ready.set_result(None)
        self._send_pending()
        self._wake_queue()

    def _take_reset(self, number: int, reason: int) -> None:
        stream = self._streams.get(number)
        if stream is not None:
            stream.sent_all = True
            sent = reason != Reason.REFUSED_STREAM
            self._end(stream, GrpcError(GrpcCode.UNAVAILABLE, f"the call was reset: {reason}", sent=sent), heard=True)

    def _take_farewell(self, last: int) -> None:
        """What is above `last` was not looked at, and will not be."""
        self.retire()
        for stream in [each for each in self._streams.values() if each.number > last]:
            self._end(stream, GrpcError(GrpcCode.UNAVAILABLE, "the connection is being closed", sent=False))

    # Streams.

    def _open(self, head: bytes, ends: float, message: bytes = b"") -> GrpcStream:
        if self.retired:
            raise GrpcError(GrpcCode.UNAVAILABLE, "the connection is being closed", sent=False)
        number = self._next
        stream = self._streams[number] = GrpcStream(self, number, self._stream_room, ends, lasting=ends == inf)
        self._next += 2
        if self._next > _LAST_NUMBER:
            self.retired = True
        opening = frame(frames.HEADERS, frames.END_HEADERS, number, head)
        if ends < inf:
            stream.pending += prefixed(message)
            stream.closing = True
        self._write(opening + self._sendable(stream))
        return stream

    def _end(self, stream: GrpcStream, error: GrpcError | None, *, heard: bool = False) -> None:
        """A call is over; unless both sides have said so, we do."""
        if self._streams.pop(stream.number, None) is None:
            return
        if not (heard and stream.sent_all):
            self._write(numbered(frames.RST_STREAM, stream.number, Reason.CANCEL))
        stream.end(error)
        if self._queue:
            self._wake_queue()
        if self.retired and not self._streams:
            self.abort()

    def _sendable(self, stream: GrpcStream) -> bytes:
        """The frames that there is room for."""
        pending = stream.pending
        data = b""
        while pending and (room := min(self._room, stream.room, frames.MAX_FRAME)) > 0:
            part = bytes(pending[:room])
            del pending[:room]
            self._room -= len(part)
            stream.room -= len(part)
            stream.sent_all = stream.closing and not pending
            data += frame(frames.DATA, frames.END_STREAM if stream.sent_all else 0, stream.number, part)
        return data

    def _write(self, data: bytes) -> None:
        """Send with all else that this turn of the loop has to say: a packet costs more than what is in it."""
        if not self._leaving:
            self._loop.call_soon(self._flush)
        self._leaving.append(data)

    def _flush(self) -> None:
        data = b"".join(self._leaving)
        self._leaving.clear()
        if self._transport is not None and not self._gone and not self._transport.is_closing():
            self._transport.write(data)

    def _send_pending(self) -> None:
        for stream in self._streams.values():
            if stream.pending:
                self.send(stream)

    def _fail(self, why: str) -> None:
        self.abort()
        for stream in list(self._streams.values()):
            self._end(stream, GrpcError(GrpcCode.UNAVAILABLE, why))

    async def _turn(self, seconds: float) -> None:
        """Wait until the other side takes one call more."""
        try:
            async with self._clock.timeout(seconds):
                while len(self._streams) >= self._most and not self.retired:
                    waiter: asyncio.Future[None] = self._loop.create_future()
                    self._queue.append(waiter)
                    await waiter
        except TimeoutError:
            raise GrpcError(GrpcCode.DEADLINE_EXCEEDED, "too many calls are under way", sent=False) from None

    def _wake_queue(self) -> None:
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.done():
                waiter.set_result(None)

    # Time.

    def _set_timer(self, ends: float) -> None:
        """One timer for all calls: for the one whose time is over first."""
        if self._timer is not None:
            self._timer.cancel()
        self._due = ends
        self._timer = self._clock.call_later(ends - self._clock.monotonic(), self._expire)

    def _expire(self) -> None:
        now = self._clock.monotonic()
        self._due, self._timer = inf, None
        over = [stream for stream in self._streams.values() if stream.ends <= now]
        if over and self._heard < now - _SUSPECT:
            self.retire()
        for stream in over:
            self._end(stream, GrpcError(GrpcCode.DEADLINE_EXCEEDED, "context deadline exceeded"))
        ends = min((stream.ends for stream in self._streams.values()), default=inf)
        if ends < inf:
            self._set_timer(ends)

    def _look(self) -> None:
        """Is anybody there?"""
        now = self._clock.monotonic()
        if self._heard < self._asked:
            self._fail("the connection is dead: it is silent when asked for a sign of life")
            return
        if self._streams and now - self._heard > QUIET * 0.9:
            self._asked = now
            self._write(frame(frames.PING, 0, 0, b"pilot..?"))
        self._quiet_timer = self._clock.call_later(QUIET, self._look)
