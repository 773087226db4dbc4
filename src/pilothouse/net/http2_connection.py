"""One HTTP/2 connection at the front door: many requests at once, each a stream with a task of its own.

What frames mean is the engine's to know (`http2_engine.py`), which does no I/O. This file feeds it, sends what it
makes, all of a turn of the loop at once, and holds the connection to limits that the protocol leaves open: frames are
counted (`http2_allowance.py`), heads judged (`http2_head.py`), streams and what they hold bounded. What breaks the
protocol ends the connection; what is merely refused ends a stream. (RFC 9113. Server push, priorities and extended
CONNECT are not offered.)
"""

import asyncio
from typing import cast

from pilothouse.net.deadline import Deadline
from pilothouse.net.door import Door, peer_of
from pilothouse.net.hpack_decoder import Field
from pilothouse.net.http2_allowance import FrameMeter
from pilothouse.net.http2_engine import Engine
from pilothouse.net.http2_frames import FrameError, Reason, farewell
from pilothouse.net.http2_head import KnownHeads
from pilothouse.net.http2_sending import Flow
from pilothouse.net.http2_stream import Http2Stream
from pilothouse.net.outflow import Outflow
from pilothouse.runtime.log import Log

log = Log(__name__)

_DIGITS = 18
"""Of a length that anybody means."""


class Http2Connection(asyncio.BufferedProtocol):
    """The server's end of one connection."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.engine = Engine(door.limits, self)
        self._heads = KnownHeads(door.limits)
        self._meter = FrameMeter(door.clock.monotonic())
        self._streams: dict[int, Http2Stream] = {}
        self._fresh: list[Http2Stream] = []
        self._retiring = False
        self._closing = False
        self._flushing = False
        self._last: int | None = None
        """The last stream that is served, once we have said so."""
        self._deadline = Deadline(door.clock, self._too_late)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done: who is it?"""
        self._transport = cast("asyncio.Transport", transport)
        self.out = Outflow(self._transport, self.door.clock, self.door.limits.write)
        self.peer = peer_of(self._transport)
        self.door.connections[self] = None
        self._loop = asyncio.get_running_loop()
        self.send()
        if self.door.draining:
            self._transport.abort()
        self._deadline.set(self.door.limits.head)

    def get_buffer(self, _hint: int) -> memoryview:
        """Where to put what has come."""
        return self.door.arriving

    def buffer_updated(self, count: int) -> None:
        """Frames have come."""
        if self._closing:
            return
        try:
            self._take(bytes(self.door.arriving[:count]))
        except FrameError as error:
            self._close(error.reason)
        except Exception as error:  # noqa: BLE001 - the HTTP boundary: what a peer sends must not hurt others
            log.crash("Connection failed", error=error)
            self._transport.abort()

    def _take(self, data: bytes) -> None:
        """Raises FrameError."""
        frames = self.engine.cut(data)
        now = self.door.clock.monotonic()
        if not self._meter.accept(frames, now):
            raise FrameError("too much that is of no use", Reason.ENHANCE_YOUR_CALM)
        self.engine.receive(frames)
        faults, self.engine.faults = self.engine.faults, 0
        if not self._meter.accept_resets(faults, now):
            raise FrameError("too many streams that we had to reset", Reason.ENHANCE_YOUR_CALM)
        if self.engine.made:
            self.flush()
        if self._fresh:
            self._start()

    def eof_received(self) -> bool:
        """The client has closed its half: that means it has left."""
        return False

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio gives it
        """The client is gone, and with it all that it asked for."""
        self._closing = True
        self.out.lose()
        self._deadline.end()
        self._lose_all()
        self.door.connections.pop(self, None)
        self.door.changed.set()

    def pause_writing(self) -> None:
        """The transport holds enough."""
        self.out.pause()

    def resume_writing(self) -> None:
        """The transport has room again."""
        self.out.resume()

    # What the streams call.

    def flush(self) -> None:
        """Have what the engine has made sent when this turn of the loop is over."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self.send)

    def send(self) -> None:
        """Send what the engine has made."""
        self._flushing = False
        made = self.engine.made
        if made and not self._closing and not self.out.lost:
            data = b"".join(made)
            self._meter.sent(len(data))
            self._transport.write(data)
        made.clear()

    def acknowledge(self, size: int, flow: Flow) -> None:
        """Let so much more come."""
        if size and not self._closing:
            self.engine.acknowledge(flow, size)
            if self.engine.made:
                self.flush()

    # What the engine calls.

    def opened(self, flow: Flow, fields: list[Field]) -> None:
        """A request has come."""
        if self._retiring or self._closing:
            self.engine.reset(flow, Reason.REFUSED_STREAM)
            return
        stream = Http2Stream(flow, self)
        stream.arrival, stream.refusal = self._heads.read(fields, stream.new_body)
        if stream.refusal is None:
            flow.expected = _length(stream.arrival.headers.get("content-length"))
        self._streams[flow.number] = stream
        self._fresh.append(stream)
        self._deadline.lift()

    def arrived(self, flow: Flow, data: bytes, padding: int) -> None:
        """A piece of a body has come."""
        self.acknowledge(padding, flow)
        stream = self._streams.get(flow.number)
        if stream is not None:
            stream.feed(data)
        else:
            self.acknowledge(len(data), flow)

    def finished(self, flow: Flow) -> None:
        """A request is complete."""
        if (stream := self._streams.get(flow.number)) is not None:
            stream.finish()

    def broken(self, flow: Flow) -> None:
        """A client wants no answer any more."""
        if (stream := self._streams.get(flow.number)) is not None:
            stream.lose("the client has left")

    def given_room(self, flow: Flow | None) -> None:
        """There is room for more of an answer, or of all."""
        if flow is None:
            for each in self._streams.values():
                each.give_room()
        elif (stream := self._streams.get(flow.number)) is not None:
            stream.give_room()

    def left(self) -> None:
        """The client leaves, for whatever reason: as upstream, so do we."""
        self.retire()

    # The tasks.

    def _start(self) -> None:
        """Begin with what is new, unless it was reset in the same breath."""
        fresh, self._fresh = self._fresh, []
        for stream in fresh:
            if stream.lost:
                stream.forget_body()
                self._forget(stream)
            else:
                stream.task = self.door.tasks.spawn(self._run(stream), name="stream")

    async def _run(self, stream: Http2Stream) -> None:
        try:
            await stream.run()
        finally:
            self._forget(stream)

    def _forget(self, stream: Http2Stream) -> None:
        self._streams.pop(stream.flow.number, None)
        if not self._streams:
            self.door.changed.set()
            if not self._closing:
                self._deadline.set(self.door.limits.idle)
            if self._retiring:
                self._close(Reason.NO_ERROR)

    def _lose_all(self) -> None:
        for stream in list(self._streams.values()):
            stream.lose("the client has left")
            if stream.task is None:
                self._streams.pop(stream.flow.number, None)

    # Ends and time.

    @property
    def busy(self) -> bool:
        """Whether an answer is owed."""
        return bool(self._streams)

    def retire(self) -> None:
        """Take no more requests: close now, or after the answers that are under way."""
        if self._retiring:
            return
        if self._streams:
            self._retiring = True
            self._go_away(Reason.NO_ERROR)
        else:
            self._close(Reason.NO_ERROR)

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    def _go_away(self, reason: Reason) -> None:
        """Say that we leave."""
        if self._last is None:
            self._last = self.engine.highest
        self.engine.made.append(farewell(self._last, reason))
        self.flush()

    def _close(self, reason: Reason) -> None:
        """Leave and say why; what is under way is lost."""
        if self._closing:
            return
        self._go_away(reason)
        self.send()
        self._closing = True
        self._lose_all()
        self._transport.close()
        self._deadline.set(self.door.limits.farewell)

    def _too_late(self) -> None:
        if self._closing:
            self._transport.abort()
        else:
            self._close(Reason.NO_ERROR)


def _length(text: str | None) -> int | None:
    """How long a body is said to be."""
    if text is None:
        return None
    return int(text) if len(text) < _DIGITS else 10**_DIGITS
