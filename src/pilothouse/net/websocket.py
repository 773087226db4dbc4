"""WebSocket, without I/O: the handshake of both sides, and frames to events and back (RFC 6455, no extensions).

Strict, as the RFC asks: a frame that breaks a rule ends the connection with the close code for it.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NORMAL, PROTOCOL_ERROR, INVALID_DATA, TOO_BIG, NO_STATUS = 1000, 1002, 1007, 1009, 1005
MAX_MESSAGE = 32 * 1024 * 1024


class HandshakeError(ValueError):
    """A request or an answer that does not open a WebSocket."""


class WebSocketError(ConnectionError):
    """The peer broke the protocol. `code` is what the close frame says."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """A whole text or binary message."""

    data: bytes
    text: bool = False


@dataclass(frozen=True, slots=True)
class PingReceived:
    """To be answered with a pong of the same data."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PongReceived:
    """An answer to a ping, or a sign of life."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CloseReceived:
    """The peer will send no more."""

    code: int
    reason: str


Event = Message | PingReceived | PongReceived | CloseReceived


def is_websocket_request(headers: Mapping[str, str]) -> bool:
    """Whether a request asks for a WebSocket."""
    tokens = [token.strip().lower() for token in headers.get("connection", "").split(",")]
    return "upgrade" in tokens and headers.get("upgrade", "").lower() == "websocket"


def offered_protocols(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The sub-protocols that a request offers, in its order."""
    offered = headers.get("sec-websocket-protocol", "")
    return tuple(token.strip() for token in offered.split(",") if token.strip())


def answer_handshake(method: str, headers: Mapping[str, str], protocol: str) -> dict[str, str]:
    """The headers of the 101 that accepts a request. Raises HandshakeError for one that cannot be accepted."""
    if method != "GET" or not is_websocket_request(headers):
        raise HandshakeError("not a WebSocket request")
    if headers.get("sec-websocket-version") != "13":
        raise HandshakeError("missing or bad WebSocket version")
    key = headers.get("sec-websocket-key", "")
    try:
        valid = len(base64.b64decode(key, validate=True)) == 16
    except ValueError:
        valid = False
    if not valid:
        raise HandshakeError("missing or bad Sec-WebSocket-Key")
    answer = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept_key(key)}
    return {**answer, "Sec-WebSocket-Protocol": protocol} if protocol else answer


def request_headers(key: bytes, protocols: Sequence[str]) -> dict[str, str]:
    """The headers of a client's request; `key` is 16 random bytes."""
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(key).decode(),
    }
    return {**headers, "Sec-WebSocket-Protocol": ", ".join(protocols)} if protocols else headers


def check_answer(key: bytes, protocols: Sequence[str], headers: Mapping[str, str]) -> str:
    """The sub-protocol that a 101 chose. Raises HandshakeError when the answer is not to this request."""
    if headers.get("sec-websocket-accept") != accept_key(base64.b64encode(key).decode()):
        raise HandshakeError("the answer is not to this request")
    if "sec-websocket-extensions" in headers:
        raise HandshakeError("the answer has extensions nobody asked for")
    chosen = headers.get("sec-websocket-protocol", "")
    if chosen and chosen not in protocols:
        raise HandshakeError("the answer has a protocol nobody asked for")
    return chosen


def accept_key(key: str) -> str:
    """What proves that the server read the request."""
    return base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()


def encode_frame(opcode: int, payload: bytes, mask: bytes = b"", *, final: bool = True) -> bytes:
    """One frame. Clients give a mask of four random bytes."""
    length = len(payload)
    masked = 0x80 if mask else 0
    head = bytes([final << 7 | opcode])
    if length < 126:
        head += bytes([masked | length])
    elif length < 65536:
        head += bytes([masked | 126]) + length.to_bytes(2, "big")
    else:
        head += bytes([masked | 127]) + length.to_bytes(8, "big")
    return head + mask + _masked(payload, mask) if mask else head + payload


def close_payload(code: int, reason: str = "") -> bytes:
    """What a close frame carries; at most 125 bytes."""
    return code.to_bytes(2, "big") + reason.encode()[:123].decode("utf-8", "ignore").encode()


class WebSocketDecoder:
    """Bytes to events, however they are cut. `masked` says whether the peer is a client, whose frames are masked."""

    def __init__(self, *, masked: bool, limit: int = MAX_MESSAGE) -> None:
        self._masked = masked
        self._limit = limit
        self._buffer = bytearray()
        self._opcode = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._closed = False

    def receive(self, data: bytes) -> list[Event]:
        """The events that `data` completes. Raises WebSocketError for what breaks the protocol."""
        self._buffer += data
        events: list[Event] = []
        while not self._closed:
            event, consumed = self._frame()
            if not consumed:
                break
            del self._buffer[:consumed]
            if event is not None:
                events.append(event)
        return events

    def _frame(self) -> tuple[Event | None, int]:
        """One frame from the head of the buffer, and how many bytes it took; 0 when it is not complete."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None, 0
        final, opcode, length, head = bool(buffer[0] & 0x80), buffer[0] & 0x0F, buffer[1] & 0x7F, 2
        self._check(final, opcode, length)
        if length >= 126:
            head = 4 if length == 126 else 10
            if len(buffer) < head:
                return None, 0
            least = 126 if length == 126 else 65536
            length = int.from_bytes(buffer[2:head], "big")
            if length < least or length >> 63:
                raise WebSocketError(PROTOCOL_ERROR, "a length is not in its shortest form")
        if length + self._size > self._limit:
            raise WebSocketError(TOO_BIG, "a message is too big")
        if self._masked:
            head += 4
        if len(buffer) < head + length:
            return None, 0
        payload = bytes(memoryview(buffer)[head : head + length])
        if self._masked:
            payload = _masked(payload, bytes(buffer[head - 4 : head]))
        return self._event(final, opcode, payload), head + length

    def _check(self, final: bool, opcode: int, length: int) -> None:
        if self._buffer[0] & 0x70:
            raise WebSocketError(PROTOCOL_ERROR, "reserved bits are set")
        if bool(self._buffer[1] & 0x80) != self._masked:
            raise WebSocketError(PROTOCOL_ERROR, "a frame is masked wrongly")
        if opcode in (CLOSE, PING, PONG):
            if not final or length > 125:
                raise WebSocketError(PROTOCOL_ERROR, "a control frame is too long or in fragments")
        elif opcode not in (CONTINUATION, TEXT, BINARY):
            raise WebSocketError(PROTOCOL_ERROR, "an unknown opcode")
        elif (opcode == CONTINUATION) != bool(self._opcode):
            raise WebSocketError(PROTOCOL_ERROR, "fragments out of order")

    def _event(self, final: bool, opcode: int, payload: bytes) -> Event | None:
        if opcode == PING:
            return PingReceived(payload)
        if opcode == PONG:
            return PongReceived(payload)
        if opcode == CLOSE:
            self._closed = True
            return _close_event(payload)
        self._opcode = self._opcode or opcode
        self._parts.append(payload)
        self._size += len(payload)
        if not final:
            return None
        message = Message(b"".join(self._parts), self._opcode == TEXT)
        self._opcode, self._parts, self._size = 0, [], 0
        if message.text:
            _decode(message.data)
        return message


def _close_event(payload: bytes) -> CloseReceived:
    if not payload:
        return CloseReceived(NO_STATUS, "")
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise WebSocketError(PROTOCOL_ERROR, "a close code that must not be sent")
    return CloseReceived(code, _decode(payload[2:]))


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise WebSocketError(INVALID_DATA, "text is not UTF-8") from None


def _masked(payload: bytes, mask: bytes) -> bytes:
    """Whole numbers of any size make one XOR of it."""
    length = len(payload)
    key = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(length, "big")
