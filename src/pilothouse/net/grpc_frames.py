"""Heads and messages as a gRPC client sends and reads them over HTTP/2. Pure.

Our heads are literals alone and the other side is told to keep no table either, so a head means the same whenever it
comes: ours are made once, theirs are decoded once. Source: RFC 9113, sections 4 and 6; RFC 7541; gRPC over HTTP/2
(grpc/doc/PROTOCOL-HTTP2.md).
"""

import struct
from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from math import ceil
from urllib.parse import unquote

from pilothouse.net.hpack_decoder import HpackDecoder, HpackError
from pilothouse.net.hpack_encoder import string
from pilothouse.net.http2_frames import END_STREAM, Frame, FrameError, HeadPieces

_MESSAGE = struct.Struct(">BI")
_MAX_BLOCK, _MAX_PIECES = 64 * 1024, 64


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
    start = bytes([0x83, 0x86 if scheme == "http" else 0x87, 4]) + _text(path) + b"\x01" + _text(authority)
    return start + b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)


_MOST = 99_999_999
"""Servers refuse a call whose time has more than eight digits."""
_COARSE = (("S", 1), ("M", 60), ("H", 3600))


def time_limit(seconds: float) -> bytes:
    """What a head is continued by: the seconds that the call may take, in the finest unit that has room for them."""
    count = max(ceil(seconds * 1000), 1)
    if count <= _MOST:
        return _limit(count, "m")
    unit, size = next(((unit, size) for unit, size in _COARSE if seconds <= size * _MOST), _COARSE[-1])
    return _limit(min(ceil(seconds / size), _MOST), unit)


@lru_cache(maxsize=64)
def _limit(count: int, unit: str) -> bytes:
    return b"\0\x0cgrpc-timeout" + _text(f"{count}{unit}")


def _text(text: str) -> bytes:
    return string(text.encode())


class HeadReader:
    """Reads the heads of one connection's answers, which may come in pieces."""

    def __init__(self) -> None:
        self._decoder = HpackDecoder(_MAX_BLOCK)
        self._known: dict[bytes, dict[str, str]] = {}
        """What was decoded when there was no table, and so is always that."""
        self._pieces = HeadPieces(_MAX_BLOCK, _MAX_PIECES)

    @property
    def halfway(self) -> bool:
        """Whether nothing but the next piece of a head may come."""
        return self._pieces.halfway

    def feed(self, piece: Frame) -> tuple[int, bool, Mapping[str, str]] | None:
        """The stream, whether it ends, and the fields, once a head is complete. Raises FrameError."""
        complete = self._pieces.feed(piece)
        if complete is None:
            return None
        stream, flags, block = complete
        return stream, bool(flags & END_STREAM), self._decode(block)

    def _decode(self, block: bytes) -> Mapping[str, str]:
        found = self._known.get(block)
        if found is None:
            fixed = self._decoder.tableless
            try:
                fields = self._decoder.decode(block)
            except HpackError as error:
                raise FrameError(f"a head that cannot be read: {error}") from None
            found = {name.decode("latin-1"): value.decode("latin-1") for name, value in fields}
            if fixed and self._decoder.tableless and len(self._known) < 50 and len(block) < 200:
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
