"""What the server says on an HTTP/2 connection: frames that gather until they are taken out, within the peer's windows.

Of a stream only what is needed while it is open is kept (`Flow`). Source: RFC 9113, sections 5.2, 6.4 and 6.9.
"""

from pilothouse.net import http2_frames as frames
from pilothouse.net.hpack_encoder import NO_TABLE
from pilothouse.net.http2_frames import FIRST_WINDOW, MAX_FRAME, Reason, frame

STREAMS = 250
"""How many requests a client may have open, as upstream allows."""
_STREAM_WINDOW = 256 * 1024
CONNECTION_WINDOW = 16 * 1024 * 1024
"""How much of bodies may be on its way or unread, on a stream and on all of them."""
_REMEMBERED = 256
"""Streams that we have reset, of which something may still come that was sent before."""


class Flow:
    """A stream, as far as frames go."""

    __slots__ = ("ended", "expected", "number", "owed", "room", "sent_all", "window")

    def __init__(self, number: int, room: int) -> None:
        self.number = number
        self.room = room
        """Bytes that the peer takes."""
        self.window = _STREAM_WINDOW
        """Bytes that may come."""
        self.owed = 0
        """Bytes that were read, of which the peer has not been told."""
        self.ended = False
        """Whether nothing more comes."""
        self.sent_all = False
        """Whether nothing more can be sent."""
        self.expected: int | None = None
        """Bytes of a body that are still to come, where that was said."""


class Sending:
    """The frames of one connection that are `made`, and must be sent."""

    def __init__(self, largest_head: int) -> None:
        self.flows: dict[int, Flow] = {}
        """The streams that are open, at least one way."""
        self._reset: dict[int, None] = {}
        self._room, self._stream_room, self._largest = FIRST_WINDOW, FIRST_WINDOW, MAX_FRAME
        """What the peer takes: on all streams, on a new one, in a frame."""
        self._window = CONNECTION_WINDOW
        """What it may send us on all streams."""
        self._owed = 0
        self._prefix = NO_TABLE
        wanted = {
            frames.MOST_STREAMS: STREAMS,
            frames.INITIAL_WINDOW: _STREAM_WINDOW,
            frames.LARGEST_HEAD: largest_head,
        }
        more = frames.numbered(frames.WINDOW_UPDATE, 0, CONNECTION_WINDOW - FIRST_WINDOW)
        self.made: list[bytes] = [frames.settings(wanted), more]

    def reset(self, flow: Flow, reason: Reason) -> None:
        """End a stream."""
        if flow.ended and flow.sent_all:
            return
        if not flow.ended:
            self._reset[flow.number] = None
            if len(self._reset) > _REMEMBERED:
                del self._reset[next(iter(self._reset))]
        self._drop(flow)
        self.made.append(frames.numbered(frames.RST_STREAM, flow.number, reason))

    def send_head(self, flow: Flow, block: bytes, *, end: bool) -> None:
        """Send a head. Raises ConnectionResetError when nobody wants it."""
        if flow.sent_all:
            raise ConnectionResetError("the peer has left")
        if self._prefix:
            block, self._prefix = self._prefix + block, b""
        last = frames.END_STREAM if end else 0
        if len(block) <= MAX_FRAME:
            self.made.append(frame(frames.HEADERS, frames.END_HEADERS | last, flow.number, block))
        else:
            self.made.append(frame(frames.HEADERS, last, flow.number, block[:MAX_FRAME]))
            for start in range(MAX_FRAME, len(block), MAX_FRAME):
                flags = frames.END_HEADERS if start + MAX_FRAME >= len(block) else 0
                part = block[start : start + MAX_FRAME]
                self.made.append(frame(frames.CONTINUATION, flags, flow.number, part))
        if end:
            self._sent_all(flow)

    def room(self, flow: Flow) -> int:
        """How much one frame of data may hold now. Raises ConnectionResetError when nobody wants it."""
        if flow.sent_all:
            raise ConnectionResetError("the peer has left")
        return min(self._room, flow.room, self._largest)

    def send_data(self, flow: Flow, data: bytes | memoryview, *, end: bool) -> None:
        """Send no more than there is room for. Raises ConnectionResetError when nobody wants it."""
        if flow.sent_all:
            raise ConnectionResetError("the peer has left")
        self._room -= len(data)
        flow.room -= len(data)
        self.made.append(frame(frames.DATA, frames.END_STREAM if end else 0, flow.number, data))
        if end:
            self._sent_all(flow)

    def _sent_all(self, flow: Flow) -> None:
        flow.sent_all = True
        if flow.ended:
            self.flows.pop(flow.number, None)

    def acknowledge(self, flow: Flow, size: int) -> None:
        """Something has been read: so much more may come, which is told when it is worth a frame."""
        self._give_back(size)
        flow.owed += size
        if flow.owed >= _STREAM_WINDOW // 2 and not flow.ended:
            self.made.append(frames.numbered(frames.WINDOW_UPDATE, flow.number, flow.owed))
            flow.window += flow.owed
            flow.owed = 0

    def _give_back(self, size: int) -> None:
        self._owed += size
        if self._owed >= CONNECTION_WINDOW // 2:
            self.made.append(frames.numbered(frames.WINDOW_UPDATE, 0, self._owed))
            self._window += self._owed
            self._owed = 0

    def _drop(self, flow: Flow) -> None:
        flow.ended = flow.sent_all = True
        self.flows.pop(flow.number, None)
