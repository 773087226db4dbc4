"""The server's half of HTTP/2 on one connection: what frames mean and which may come, without I/O.

Frames go in, and what they bring is told to a `Listener` at once; what is to be sent gathers until it is taken out.
A peer that breaks the protocol raises FrameError, which ends the connection; what concerns one stream alone resets it,
and counts as a fault: who makes us reset streams costs as much as who resets them. Source: RFC
9113, sections 3.4, 5 and 6.
"""

from typing import Protocol

from pilothouse.net import http2_frames as frames
from pilothouse.net.door import Limits
from pilothouse.net.hpack_decoder import Field, HpackDecoder, HpackError, TooLarge
from pilothouse.net.http2_frames import LARGEST_WINDOW, MAX_FRAME, Frame, FrameError, Reason, frame
from pilothouse.net.http2_sending import STREAMS, Flow, Sending

_CONTINUATIONS = 64
"""Pieces of one head."""


class Listener(Protocol):
    """Who is told what came."""

    def opened(self, flow: Flow, fields: list[Field]) -> None:
        """A request."""
        ...

    def arrived(self, flow: Flow, data: bytes, padding: int) -> None:
        """A piece of its body; with the padding it took room."""
        ...

    def finished(self, flow: Flow) -> None:
        """Its end."""
        ...

    def broken(self, flow: Flow) -> None:
        """It was reset: nothing comes, and nothing can be sent."""
        ...

    def given_room(self, flow: Flow | None) -> None:
        """There may be room for more of an answer, or of all."""
        ...

    def left(self) -> None:
        """The peer asks for nothing new."""
        ...


class Engine(Sending):
    """What a connection hears, and what it says."""

    def __init__(self, limits: Limits, listener: Listener) -> None:
        super().__init__(limits.header_bytes)
        self._listener = listener
        self._preface = frames.PREFACE
        self._greeted = False
        self._reader = frames.FrameReader()
        self._heads = frames.HeadPieces(limits.header_bytes, _CONTINUATIONS)
        self._decoder = HpackDecoder(limits.header_bytes)
        self.highest = 0
        """The last stream that was opened."""
        self.faults = 0
        """How many streams the peer has made us reset, since somebody looked."""

    # What comes.

    def cut(self, data: bytes) -> list[Frame]:
        """The frames that are complete with `data`. Raises FrameError."""
        if self._preface:
            size = min(len(data), len(self._preface))
            if data[:size] != self._preface[:size]:
                raise FrameError("this is not HTTP/2")
            self._preface, data = self._preface[size:], data[size:]
        return list(self._reader.feed(data))

    def receive(self, arrived: list[Frame]) -> None:
        """Take frames. Raises FrameError."""
        if arrived and not self._greeted and arrived[0][0] != frames.SETTINGS:
            raise FrameError("no settings")
        for each in arrived:
            kind, flags, number, payload = each
            if kind == frames.HEADERS or self._heads.halfway or kind == frames.CONTINUATION:
                complete = self._heads.feed(each)
                if complete is not None:
                    self._take_block(*complete)
            elif kind == frames.DATA:
                self._take_data(flags, number, payload)
            elif kind in (frames.PRIORITIES, frames.RST_STREAM, frames.WINDOW_UPDATE):
                self._take_number(kind, number, payload)
            elif kind in (frames.SETTINGS, frames.PING, frames.GOAWAY, frames.PUSH_PROMISE):
                self._take_control(kind, flags, number, payload)

    def _take_block(self, number: int, flags: int, block: bytes) -> None:
        """A head is complete. It is read even when it is of no use: the next ones build on it."""
        try:
            fields = self._decoder.decode(block)
        except TooLarge as error:
            raise FrameError(str(error), Reason.ENHANCE_YOUR_CALM) from None
        except HpackError as error:
            raise FrameError(str(error), Reason.COMPRESSION_ERROR) from None
        if number & 1 == 0:
            raise FrameError("a head where none may come")
        if number <= self.highest:
            self._take_trailers(flags, number)
            return
        if len(self.flows) >= STREAMS:
            raise FrameError("too many streams")
        self.highest = number
        flow = self.flows[number] = Flow(number, self._stream_room)
        self._listener.opened(flow, fields)
        if flags & frames.END_STREAM:
            self._finish(flow)

    def _take_trailers(self, flags: int, number: int) -> None:
        """A second head, which says nothing to us but that the body ends."""
        flow = self.flows.get(number)
        if flow is None:
            if number not in self._reset:
                raise FrameError("a head on a stream that is closed", Reason.STREAM_CLOSED)
        elif flow.ended:
            self._refuse(flow, Reason.STREAM_CLOSED)
        elif not flags & frames.END_STREAM:
            raise FrameError("a head amidst a body")
        else:
            self._finish(flow)

    def _take_data(self, flags: int, number: int, payload: bytes) -> None:
        self._must_be_known(number)
        size = len(payload)
        data = frames.unpadded(flags, payload)
        self._window -= size
        flow = self.flows.get(number)
        if flow is not None:
            flow.window -= size
        if self._window < 0 or (flow is not None and flow.window < 0):
            raise FrameError("more than there is room for", Reason.FLOW_CONTROL_ERROR)
        if flow is None or flow.ended:
            self._give_back(size)
            if flow is not None:
                self._refuse(flow, Reason.STREAM_CLOSED)
            elif number not in self._reset:
                self._fault(number, Reason.STREAM_CLOSED)
            return
        if flow.expected is not None:
            flow.expected -= len(data)
            if flow.expected < 0:
                raise FrameError("a body that is longer than was said")
        self._listener.arrived(flow, data, size - len(data))
        if flags & frames.END_STREAM:
            self._finish(flow)

    def _finish(self, flow: Flow) -> None:
        if flow.expected:
            raise FrameError("a body that is shorter than was said")
        flow.ended = True
        if flow.sent_all:
            self.flows.pop(flow.number, None)
        self._listener.finished(flow)

    def _take_number(self, kind: int, number: int, payload: bytes) -> None:
        """What is said by a number: a stream's end, or more room. Priorities say nothing to us."""
        if len(payload) != (5 if kind == frames.PRIORITIES else 4):
            raise FrameError("a frame of a wrong size", Reason.FRAME_SIZE_ERROR)
        if kind == frames.PRIORITIES:
            if number == 0:
                raise FrameError("a priority of nothing")
        elif kind == frames.RST_STREAM:
            self._must_be_known(number)
            if (flow := self.flows.get(number)) is not None:
                self._drop(flow)
                self._listener.broken(flow)
        else:
            self._take_room(number, frames.read_number(payload))

    def _take_room(self, number: int, more: int) -> None:
        if more == 0:
            raise FrameError("room for nothing")
        if number == 0:
            self._room += more
            if self._room > LARGEST_WINDOW:
                raise FrameError("too much room", Reason.FLOW_CONTROL_ERROR)
            self._listener.given_room(None)
            return
        self._must_be_known(number)
        if (flow := self.flows.get(number)) is not None:
            flow.room += more
            if flow.room > LARGEST_WINDOW:
                self._refuse(flow, Reason.FLOW_CONTROL_ERROR)
            else:
                self._listener.given_room(flow)

    def _take_control(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        """What concerns the connection."""
        if number != 0 or kind == frames.PUSH_PROMISE:
            raise FrameError("a frame where it may not come")
        if kind == frames.SETTINGS:
            self._take_settings(flags, payload)
        elif kind == frames.PING:
            if len(payload) != 8:
                raise FrameError("a ping of a wrong size", Reason.FRAME_SIZE_ERROR)
            if not flags & frames.ACK:
                self.made.append(frame(frames.PING, frames.ACK, 0, payload))
        else:
            frames.read_number(payload, at=4)
            self._listener.left()

    def _take_settings(self, flags: int, payload: bytes) -> None:
        if flags & frames.ACK:
            if payload:
                raise FrameError("an acknowledgement that says more", Reason.FRAME_SIZE_ERROR)
            return
        for name, value in frames.read_settings(payload):
            if name == frames.INITIAL_WINDOW:
                self._take_stream_room(value)
            elif name == frames.LARGEST_FRAME:
                if not MAX_FRAME <= value < 1 << 24:
                    raise FrameError("frames of a wrong size")
                self._largest = value
            elif name == frames.ENABLE_PUSH and value > 1:
                raise FrameError("a setting that is neither on nor off")
        self._greeted = True
        self.made.append(frame(frames.SETTINGS, frames.ACK, 0))
        self._listener.given_room(None)

    def _take_stream_room(self, value: int) -> None:
        more, self._stream_room = value - self._stream_room, value
        for flow in self.flows.values():
            flow.room += more
        if value > LARGEST_WINDOW or any(flow.room > LARGEST_WINDOW for flow in self.flows.values()):
            raise FrameError("too much room", Reason.FLOW_CONTROL_ERROR)

    def _must_be_known(self, number: int) -> None:
        if number > self.highest or number & 1 == 0:
            raise FrameError("a stream that does not exist")

    # Ends of streams.

    def _refuse(self, flow: Flow, reason: Reason) -> None:
        """The peer has done what ends a stream."""
        self._drop(flow)
        self._fault(flow.number, reason)
        self._listener.broken(flow)

    def _fault(self, number: int, reason: Reason) -> None:
        self.faults += 1
        self.made.append(frames.numbered(frames.RST_STREAM, number, reason))
