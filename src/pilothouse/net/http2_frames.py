"""HTTP/2 frames as bytes, for whoever speaks it: the front door, and the client of gRPC. Pure.

Source: RFC 9113, sections 4, 6 and 7.
"""

import struct
from collections.abc import Iterator, Mapping
from enum import IntEnum

DATA, HEADERS, PRIORITIES, RST_STREAM, SETTINGS, PUSH_PROMISE = 0, 1, 2, 3, 4, 5
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM = ACK = 1
END_HEADERS, PADDED, PRIORITY = 4, 8, 32
HEADER_TABLE_SIZE, ENABLE_PUSH, MOST_STREAMS, INITIAL_WINDOW, LARGEST_FRAME, LARGEST_HEAD = 1, 2, 3, 4, 5, 6
MAX_FRAME = 16384
"""Bytes of one frame, which nobody is asked to exceed."""
FIRST_WINDOW = 65_535
LARGEST_WINDOW = 2**31 - 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

_HEAD = struct.Struct(">BHBBI")
_SETTING = struct.Struct(">HI")
_NUMBER = struct.Struct(">I")
_FAREWELL = struct.Struct(">II")
_PRIORITY = 5

Frame = tuple[int, int, int, bytes]
"""Kind, flags, stream and payload."""


class Reason(IntEnum):
    """Why a stream or a connection ends. After REFUSED_STREAM nothing was done."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    ENHANCE_YOUR_CALM = 11


class FrameError(Exception):
    """What came is not HTTP/2 as we agreed to speak it: the connection ends."""

    def __init__(self, text: str, reason: Reason = Reason.PROTOCOL_ERROR) -> None:
        super().__init__(text)
        self.reason = reason


def frame(kind: int, flags: int, stream: int, payload: bytes | memoryview = b"") -> bytes:
    """One frame."""
    size = len(payload)
    return _HEAD.pack(size >> 16, size & 0xFFFF, kind, flags, stream) + payload


def settings(values: Mapping[int, int]) -> bytes:
    """The frame that tells what we want."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*each) for each in values.items()))


def read_settings(payload: bytes) -> Iterator[tuple[int, int]]:
    """What the other side wants."""
    if len(payload) % _SETTING.size:
        raise FrameError("settings of a wrong size", Reason.FRAME_SIZE_ERROR)
    yield from _SETTING.iter_unpack(payload)


def numbered(kind: int, stream: int, number: int) -> bytes:
    """A frame of one number: how much more may come, or why a stream is reset."""
    return frame(kind, 0, stream, _NUMBER.pack(number))


def farewell(last: int, reason: int) -> bytes:
    """The frame that tells that we leave, and the last stream that we have looked at."""
    return frame(GOAWAY, 0, 0, _FAREWELL.pack(last, reason))


def read_number(payload: bytes, at: int = 0) -> int:
    """The number of such a frame; the bit above it is reserved."""
    if len(payload) < at + _NUMBER.size:
        raise FrameError("a frame of a wrong size", Reason.FRAME_SIZE_ERROR)
    return int(_NUMBER.unpack_from(payload, at)[0]) & 0x7FFFFFFF


def unpadded(flags: int, payload: bytes) -> bytes:
    """A payload without its padding."""
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise FrameError("padding of a wrong size")
    return payload[1 : len(payload) - payload[0]]


class FrameReader:
    """Cuts what comes into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, arrived: bytes) -> Iterator[Frame]:
        """The frames that are complete now. Raises FrameError."""
        data = self._rest + arrived if self._rest else arrived
        at, size = 0, len(data)
        while size - at >= _HEAD.size:
            high, low, kind, flags, stream = _HEAD.unpack_from(data, at)
            if (length := high << 16 | low) > MAX_FRAME:
                raise FrameError("a frame that is too large", Reason.FRAME_SIZE_ERROR)
            end = at + _HEAD.size + length
            if end > size:
                break
            yield kind, flags, stream & 0x7FFFFFFF, data[at + _HEAD.size : end]
            at = end
        self._rest = data[at:]


class HeadPieces:
    """Puts heads together, which may come in pieces: so many bytes and pieces at most."""

    def __init__(self, most_bytes: int, most_pieces: int) -> None:
        self._most_bytes = most_bytes
        self._most_pieces = most_pieces
        self._opening: tuple[int, int] | None = None
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def halfway(self) -> bool:
        """Whether nothing but the next piece of a head may come."""
        return self._opening is not None

    def feed(self, piece: Frame) -> tuple[int, int, bytes] | None:
        """The stream, the flags it began with, and the block, once a head is complete. Raises FrameError."""
        kind, flags, stream, payload = piece
        opening = self._opening
        if opening is None and kind == HEADERS:
            block = unpadded(flags, payload)
            if flags & PRIORITY:
                if len(block) < _PRIORITY:
                    raise FrameError("a head that is too short", Reason.FRAME_SIZE_ERROR)
                block = block[_PRIORITY:]
            if flags & END_HEADERS:
                return stream, flags, block
            self._opening, self._pieces, self._size = (stream, flags), [block], len(block)
            return None
        if opening is None or kind != CONTINUATION or stream != opening[0]:
            raise FrameError("a head's piece that belongs to none, or something inside of a head")
        return self._continue(opening, flags, payload)

    def _continue(self, opening: tuple[int, int], flags: int, payload: bytes) -> tuple[int, int, bytes] | None:
        self._pieces.append(payload)
        self._size += len(payload)
        if len(self._pieces) > self._most_pieces:
            raise FrameError("a head of too many pieces")
        if self._size > self._most_bytes:
            raise FrameError("a head that is too long", Reason.ENHANCE_YOUR_CALM)
        if not flags & END_HEADERS:
            return None
        block, self._opening, self._pieces = b"".join(self._pieces), None, []
        return *opening, block
