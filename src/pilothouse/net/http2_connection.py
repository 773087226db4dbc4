"""One HTTP/2 connection at the front door: many requests at once, each a stream with a task of its own.

The framing is the h2 library's (`http2_engine.py`), which does no I/O. This file feeds it, sends what it makes, and
holds the connection to limits that the protocol leaves open: frames are counted (`http2_allowance.py`), heads judged
(`http2_head.py`), streams and what they hold bounded. What breaks the protocol ends the connection; what is merely
refused ends a stream. (RFC 9113. Server push, priorities and extended CONNECT are not offered.)
"""

import asyncio
from contextlib import suppress
from typing import cast

from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import H2Error, ProtocolError
from hyperframe.frame import GoAwayFrame

from pilothouse.net.deadline import Deadline
from pilothouse.net.door import Door, peer_of
from pilothouse.net.http2_allowance import FrameMeter
from pilothouse.net.http2_engine import CONNECTION_WINDOW, Engine
from pilothouse.net.http2_head import read_head
from pilothouse.net.http2_stream import Http2Stream
from pilothouse.net.outflow import Outflow
from pilothouse.runtime.log import Log

log = Log(__name__)


class Http2Connection(asyncio.BufferedProtocol):
    """The server's end of one connection."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.engine: H2Connection = Engine(door.limits)
        self._meter = FrameMeter(door.clock.monotonic())
        self._streams: dict[int, Http2Stream] = {}
        self._fresh: list[Http2Stream] = []
        self._retiring = False
        self._closing = False
        self._deadline = Deadline(door.clock, self._too_late)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done: who is it?"""
        self._transport = cast("asyncio.Transport", transport)
        self.out = Outflow(self._transport, self.door.clock, self.door.limits.write)
        self.peer = peer_of(self._transport)
        self.door.connections[self] = None
        self.engine.initiate_connection()
        self.engine.increment_flow_control_window(CONNECTION_WINDOW - 65_535)
        self.flush()
        if self.door.draining:
            self._transport.abort()
        self._deadline.set(self.door.limits.head)

    def get_buffer(self, _hint: int) -> memoryview:
        """Where to put what has come."""
        return self.door.arriving

    def buffer_updated(self, count: int) -> None:
        """Frames have come."""
        data = self.door.arriving[:count]
        if self._closing:
            return
        if not self._meter.accept(data, self.door.clock.monotonic()):
            self._close(ErrorCodes.ENHANCE_YOUR_CALM)
            return
        try:
            for event in self.engine.receive_data(bytes(data)):
                self._take(event)
        except ProtocolError:
            self._close(None)  # the engine has said why
        except Exception as error:  # noqa: BLE001 - the HTTP boundary: what a peer sends must not hurt others
            log.crash("Connection failed", error=error)
            self._transport.abort()
        else:
            self.flush()
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
        """Send what the engine has made."""
        data = self.engine.data_to_send()
        if data and not self.out.lost:
            self._meter.sent(len(data))
            self._transport.write(data)

    def acknowledge(self, size: int, stream: int) -> None:
        """Give back so much of the window."""
        if size and not self._closing:
            with suppress(H2Error):
                self.engine.acknowledge_received_data(size, stream)
            self.flush()

    # Between engine and tasks.

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._open(event)
            case DataReceived():
                self._feed(event)
            case StreamEnded():
                if (stream := self._streams.get(event.stream_id)) is not None:
                    stream.finish()
            case StreamReset():
                if (stream := self._streams.get(event.stream_id)) is not None:
                    stream.lose("the client has left")
            case WindowUpdated():
                self._give_room(event.stream_id)
            case RemoteSettingsChanged():
                self._give_room(0)
            case ConnectionTerminated():  # the client leaves, for whatever reason: as upstream, so do we
                self.retire()

    def _open(self, event: RequestReceived) -> None:
        if self._retiring:
            self.engine.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
            return
        stream = Http2Stream(event.stream_id, self)
        stream.arrival, stream.refusal = read_head(event.headers, stream.new_body, self.door.limits)
        self._streams[event.stream_id] = stream
        self._fresh.append(stream)
        self._deadline.lift()

    def _feed(self, event: DataReceived) -> None:
        padding = event.flow_controlled_length - len(event.data)
        self.acknowledge(padding, event.stream_id)
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            stream.feed(event.data)
        else:
            self.acknowledge(len(event.data), event.stream_id)

    def _give_room(self, number: int) -> None:
        for stream in self._streams.values() if number == 0 else filter(None, (self._streams.get(number),)):
            stream.give_room()

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
        self._streams.pop(stream.number, None)
        if not self._streams:
            self.door.changed.set()
            if not self._closing:
                self._deadline.set(self.door.limits.idle)
            if self._retiring:
                self._close(ErrorCodes.NO_ERROR)

    def _lose_all(self) -> None:
        for stream in list(self._streams.values()):
            stream.lose("the client has left")
            if stream.task is None:
                self._streams.pop(stream.number, None)

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
            self._go_away(ErrorCodes.NO_ERROR)
        else:
            self._close(ErrorCodes.NO_ERROR)

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    def _go_away(self, code: ErrorCodes) -> None:
        """Say that we leave. Not by the engine, which would not let us finish what we have begun."""
        last = self.engine.highest_inbound_stream_id
        if not self.out.lost:
            self._transport.write(GoAwayFrame(0, last_stream_id=last, error_code=code).serialize())

    def _close(self, code: ErrorCodes | None) -> None:
        """Leave, for a reason that is still to be told or, with None, has been; what is under way is lost."""
        if self._closing:
            return
        self.flush()
        if code is not None:
            self._go_away(code)
        self._closing = True
        self._lose_all()
        self._transport.close()
        self._deadline.set(self.door.limits.farewell)

    def _too_late(self) -> None:
        if self._closing:
            self._transport.abort()
        else:
            self._close(ErrorCodes.NO_ERROR)
