"""HTTP/2 frames and heads as a gRPC client sends and reads them. Pure.

Our heads are literals alone and the other side is told to keep no table either, so a head means the same whenever it
comes: ours are made once, theirs are decoded once. Source: RFC 9113, sections 4 and 6; RFC 7541; gRPC over HTTP/2
(grpc/doc/PROTOCOL-HTTP2.md).
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from math import ceil
from urllib.parse import unquote

from hpack import Decoder, HPACKError

DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE = 0, 1, 3, 4, 5
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM = ACK = 1
END_HEADERS, PADDED, PRIORITY = 4, 8, 32
HEADER_TABLE_SIZE, ENABLE_PUSH, MOST_STREAMS, INITIAL_WINDOW = 1, 2, 3, 4
CANCEL, REFUSED_STREAM = 8, 7
"""Reasons to reset a stream; the second tells that nothing was done."""
MAX_FRAME = 16384
"""Bytes of one frame, which nobody is asked to exceed."""
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

_HEAD = struct.Struct(">BHBBI")
_SETTING = struct.Struct(">HI")
_NUMBER = struct.Struct(">I")
_MESSAGE = struct.Struct(">BI")
_MAX_BLOCK = 64 * 1024

Frame = tuple[int, int, int, bytes]
"""Kind, flags, stream and payload."""


class GrpcCode(IntEnum):
    """How a call ended. Source: grpc/doc/statuscodes.md."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class GrpcError(Exception):
    """A call failed. Unless it was `sent`, nothing can have come of it."""

    def __init__(self, code: GrpcCode, details: str, *, sent: bool = True) -> None:
        super().__init__(details)
        self.code = code
        self.details = details
        self.sent = sent


class FrameError(Exception):
    """What came is not HTTP/2 as we agreed to speak it."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame."""
    return _HEAD.pack(len(payload) >> 16, len(payload) & 0xFFFF, kind, flags, stream) + payload


def settings(values: Mapping[int, int]) -> bytes:
    """The frame that tells what we want."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*each) for each in values.items()))


def read_settings(payload: bytes) -> Iterator[tuple[int, int]]:
    """What the other side wants."""
    if len(payload) % _SETTING.size:
        raise FrameError("settings of a wrong size")
    yield from _SETTING.iter_unpack(payload)


def numbered(kind: int, stream: int, number: int) -> bytes:
    """A frame of one number: how much more may come, or why a stream is reset."""
    return frame(kind, 0, stream, _NUMBER.pack(number))


def read_number(payload: bytes, at: int = 0) -> int:
    """The number of such a frame; the bit above it is reserved."""
    if len(payload) < at + _NUMBER.size:
        raise FrameError("a frame of a wrong size")
    return int(_NUMBER.unpack_from(payload, at)[0]) & 0x7FFFFFFF


def unpadded(flags: int, payload: bytes) -> bytes:
    """A payload without its padding."""
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise FrameError("padding of a wrong size")
    return payload[1 : len(payload) - payload[0]]


def prefixed(message: bytes) -> bytes:
    """A message as gRPC puts it into a stream."""
    return _MESSAGE.pack(0, len(message)) + message


def read_prefix(data: bytes | bytearray) -> int:
    """Where the message that `data` begins with ends; 0 while that cannot be known."""
    if len(data) < _MESSAGE.size:
        return 0
    compressed, size = _MESSAGE.unpack_from(data)
    if compressed:
        raise FrameError("a compressed message, which was not asked for")
    return int(size) + _MESSAGE.size


def head(path: str, authority: str, scheme: str, more: Sequence[tuple[str, str]] = ()) -> bytes:
    """The head of a call."""
    fields = (("content-type", "application/grpc"), ("te", "trailers"), ("user-agent", "pilothouse"), *more)
    # 3, and 6 or 7: the static table's POST and schemes. 4 and 1: its names of path and authority.
    start = bytes([0x83, 0x86 if scheme == "http" else 0x87, 4]) + _string(path) + b"\x01" + _string(authority)
    return start + b"".join(b"\0" + _string(name) + _string(value) for name, value in fields)


def time_limit(seconds: float) -> bytes:
    """What a head is continued by: the seconds that the call may take."""
    return _milliseconds(max(ceil(seconds * 1000), 1))


@lru_cache(maxsize=64)
def _milliseconds(count: int) -> bytes:
    return b"\0\x0cgrpc-timeout" + _string(f"{count}m")


def _string(text: str) -> bytes:
    data = text.encode()
    size = len(data)
    if size < 0x7F:
        return bytes([size]) + data
    start, size = bytearray([0x7F]), size - 0x7F
    while size >= 0x80:
        start.append(size & 0x7F | 0x80)
        size >>= 7
    start.append(size)
    return bytes(start) + data


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
                raise FrameError("a frame that is too large")
            end = at + _HEAD.size + length
            if end > size:
                break
            yield kind, flags, stream & 0x7FFFFFFF, data[at + _HEAD.size : end]
            at = end
        self._rest = data[at:]


class HeadReader:
    """Reads the heads of one connection's answers, which may come in pieces."""

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._known: dict[bytes, dict[str, str]] = {}
        """What was decoded when there was no table, and so is always that."""
        self._block = b""
        self._opening = (0, 0)

    @property
    def halfway(self) -> bool:
        """Whether nothing but the next piece of a head may come."""
        return self._opening != (0, 0)

    def feed(self, piece: Frame) -> tuple[int, bool, Mapping[str, str]] | None:
        """The stream, whether it ends, and the fields, once a head is complete. Raises FrameError."""
        kind, flags, stream, payload = piece
        if kind == HEADERS:
            self._block = unpadded(flags, payload)[5 if flags & PRIORITY else 0 :]
            self._opening = stream, flags
        elif stream == self._opening[0] and len(self._block) <= _MAX_BLOCK:
            self._block += payload
        else:
            raise FrameError("a head's piece that belongs to none")
        if not flags & END_HEADERS:
            return None
        (stream, flags), self._opening = self._opening, (0, 0)
        return stream, bool(flags & END_STREAM), self._decode(self._block)

    def _decode(self, block: bytes) -> Mapping[str, str]:
        found = self._known.get(block)
        if found is None:
            fixed = self._decoder.header_table_size == 0
            try:
                fields = self._decoder.decode(block, raw=True)
            except HPACKError as error:
                raise FrameError(f"a head that cannot be read: {error}") from None
            found = {bytes(name).decode("latin-1"): bytes(value).decode("latin-1") for name, value in fields}
            if fixed and self._decoder.header_table_size == 0 and len(self._known) < 50 and len(block) < 200:
                self._known[block] = found
        return found


def outcome(fields: Mapping[str, str]) -> GrpcError | None:
    """What the last head of an answer tells: the failure, if it is one."""
    status = fields.get("grpc-status")
    if status == "0":
        return None
    if status is None or not status.isdecimal():
        said = fields.get(":status", "none")
        return GrpcError(GrpcCode.UNAVAILABLE, f"an answer that is not gRPC's, of HTTP status {said}")
    code = int(status)
    return GrpcError(GrpcCode(code) if code <= GrpcCode.UNAUTHENTICATED else GrpcCode.UNKNOWN, message_of(fields))


def message_of(fields: Mapping[str, str]) -> str:
    """The words that come with a status."""
    return unquote(fields.get("grpc-message", ""))
