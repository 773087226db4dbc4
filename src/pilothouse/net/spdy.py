"""SPDY/3.1 frames, without I/O: bytes in, frames out, and back.

kubectl, the kubelet's clients and containerd multiplex the streams of exec, attach and port-forward this way. All of
them use moby/spdystream, which ignores flow control: windows are read and written here, but nobody may rely on them.
(The SPDY Protocol, draft 3.1; the header dictionary is part of the protocol.)
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
)
_TAIL = (
    "10010120120220520630030230330430530630740240540640740840941041141241341441541641750250450520"
    "3 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug "
    "Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdch"
    "charset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _prefixed(text: bytes) -> bytes:
    return len(text).to_bytes(4, "big") + text


DICTIONARY = b"".join(_prefixed(word.replace("_", " ").encode()) for word in _WORDS.split()) + _TAIL.encode()
FIN = 1
MAX_CONTROL = 256 * 1024
"""No control frame of ours or theirs is longer: header blocks are small."""
MAX_HEADERS = 256 * 1024
"""Nor is a header block when it is unpacked."""
MAX_DATA = 2**24 - 1


class SpdyError(ConnectionError):
    """The peer broke the protocol; the connection cannot go on."""


class Reset(IntEnum):
    """Why a stream was reset."""

    PROTOCOL_ERROR = 1
    INVALID_STREAM = 2
    REFUSED_STREAM = 3
    UNSUPPORTED_VERSION = 4
    CANCEL = 5
    INTERNAL_ERROR = 6
    FLOW_CONTROL_ERROR = 7
    STREAM_IN_USE = 8
    STREAM_ALREADY_CLOSED = 9


@dataclass(frozen=True, slots=True)
class SynStream:
    """Opens a stream. Header names are in lower case."""

    stream: int
    headers: Mapping[str, str]
    fin: bool = False
    unidirectional: bool = False


@dataclass(frozen=True, slots=True)
class SynReply:
    """Accepts a stream."""

    stream: int
    headers: Mapping[str, str] = field(default_factory=dict)
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Headers:
    """More headers of an open stream."""

    stream: int
    headers: Mapping[str, str]
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a stream; with `fin` the last of this direction."""

    stream: int
    data: bytes
    fin: bool = False


@dataclass(frozen=True, slots=True)
class RstStream:
    """Ends a stream at once."""

    stream: int
    status: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Values by setting number."""

    values: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Ping:
    """Sent back by the peer. Odd numbers are the client's."""

    number: int


@dataclass(frozen=True, slots=True)
class GoAway:
    """No more streams."""

    last_stream: int
    status: int = 0


@dataclass(frozen=True, slots=True)
class WindowUpdate:
    """More room in a stream's window."""

    stream: int
    delta: int


Frame = SynStream | SynReply | Headers | Data | RstStream | Settings | Ping | GoAway | WindowUpdate


class SpdyEncoder:
    """Frames to bytes. One a direction: the header compression remembers what it sent."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def encode(self, frame: Frame) -> bytes:
        """The frame's bytes."""
        match frame:
            case Data():
                if len(frame.data) > MAX_DATA:
                    raise ValueError("a data frame holds at most 16 MB")
                return struct.pack(">II", frame.stream, frame.fin << 24 | len(frame.data)) + frame.data
            case SynStream():
                flags = frame.fin | frame.unidirectional << 1
                return _control(1, flags, struct.pack(">IIH", frame.stream, 0, 0) + self._block(frame.headers))
            case SynReply():
                return _control(2, frame.fin, struct.pack(">I", frame.stream) + self._block(frame.headers))
            case RstStream():
                return _control(3, 0, struct.pack(">II", frame.stream, frame.status))
            case Settings():
                pairs = b"".join(struct.pack(">II", number, value) for number, value in frame.values.items())
                return _control(4, 0, struct.pack(">I", len(frame.values)) + pairs)
            case Ping():
                return _control(6, 0, struct.pack(">I", frame.number))
            case GoAway():
                return _control(7, 0, struct.pack(">II", frame.last_stream, frame.status))
            case Headers():
                return _control(8, frame.fin, struct.pack(">I", frame.stream) + self._block(frame.headers))
            case WindowUpdate():
                return _control(9, 0, struct.pack(">II", frame.stream, frame.delta))

    def _block(self, headers: Mapping[str, str]) -> bytes:
        plain = len(headers).to_bytes(4, "big")
        for name, value in headers.items():
            plain += _prefixed(name.lower().encode("latin-1")) + _prefixed(value.encode("latin-1"))
        return self._deflate.compress(plain) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


class SpdyDecoder:
    """Bytes to frames, however they are cut."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._buffer = bytearray()

    def receive(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes. Raises SpdyError for what is not SPDY."""
        self._buffer += data
        frames: list[Frame] = []
        start = 0
        while len(self._buffer) - start >= 8:
            first, second = struct.unpack_from(">II", self._buffer, start)
            length = second & 0xFFFFFF
            if first >> 31 and length > MAX_CONTROL:
                raise SpdyError("a control frame is too long")
            if len(self._buffer) - start < 8 + length:
                break
            payload = bytes(memoryview(self._buffer)[start + 8 : start + 8 + length])
            start += 8 + length
            if first >> 31:
                frame = self._control(first, second >> 24, payload)
                if frame is not None:
                    frames.append(frame)
            elif first == 0:
                raise SpdyError("data of stream 0")
            else:
                frames.append(Data(first, payload, bool(second >> 24 & FIN)))
        del self._buffer[:start]
        return frames

    def _control(self, first: int, flags: int, payload: bytes) -> Frame | None:
        if first >> 16 & 0x7FFF != 3:
            raise SpdyError("not version 3 of SPDY")
        try:
            return self._known(first & 0xFFFF, flags, payload)
        except (struct.error, zlib.error, IndexError) as error:
            raise SpdyError("a control frame is malformed") from error

    def _known(self, kind: int, flags: int, payload: bytes) -> Frame | None:
        fin = bool(flags & FIN)
        match kind:
            case 1:
                stream, _, _ = struct.unpack_from(">IIH", payload)
                return SynStream(_stream(stream), self._headers(payload[10:]), fin, bool(flags & 2))
            case 2:
                return SynReply(_stream(*struct.unpack_from(">I", payload)), self._headers(payload[4:]), fin)
            case 3:
                stream, status = struct.unpack(">II", payload)
                return RstStream(_stream(stream), status)
            case 4:
                (count,) = struct.unpack_from(">I", payload)
                numbers = struct.unpack(f">{count * 2}I", payload[4:])
                return Settings({key & 0xFFFFFF: value for key, value in zip(numbers[::2], numbers[1::2], strict=True)})
            case 6:
                return Ping(*struct.unpack(">I", payload))
            case 7:
                return GoAway(*struct.unpack(">II", payload))
            case 8:
                return Headers(_stream(*struct.unpack_from(">I", payload)), self._headers(payload[4:]), fin)
            case 9:
                stream, delta = struct.unpack(">II", payload)
                return WindowUpdate(stream & 0x7FFFFFFF, delta & 0x7FFFFFFF)
        return None  # the draft: unknown control frames are ignored

    def _headers(self, block: bytes) -> dict[str, str]:
        plain = self._inflate.decompress(block, MAX_HEADERS)
        if self._inflate.unconsumed_tail:
            raise SpdyError("a header block is too long")
        (count,) = struct.unpack_from(">I", plain)
        headers: dict[str, str] = {}
        place = 4
        for _ in range(count):
            name, place = _text(plain, place)
            value, place = _text(plain, place)
            if not name or name != name.lower() or name in headers:
                raise SpdyError("a header name is empty, repeated or not in lower case")
            headers[name] = ", ".join(value.split("\0"))
        return headers


def _text(plain: bytes, place: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">I", plain, place)
    end = place + 4 + length
    if end > len(plain):
        raise IndexError
    return plain[place + 4 : end].decode("latin-1"), end


def _stream(number: int) -> int:
    if number & 0x7FFFFFFF == 0:
        raise SpdyError("stream 0")
    return number & 0x7FFFFFFF


def _control(kind: int, flags: int, payload: bytes) -> bytes:
    return struct.pack(">HHI", 0x8003, kind, flags << 24 | len(payload)) + payload
