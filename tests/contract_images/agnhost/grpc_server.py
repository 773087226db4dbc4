"""A gRPC server for calls of one message each way: as much of HTTP/2 as that takes (RFC 9113), headers by hpack."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import IO, TYPE_CHECKING

from hpack import Decoder, Encoder

if TYPE_CHECKING:
    import ssl

Outcome = tuple[int, bytes]
"""A status code, and the message of an answer or the words of an error."""
Answer = Callable[[str, bytes], Outcome]
"""The outcome of a method's call with a message."""
OK, INVALID_ARGUMENT, NOT_FOUND, UNIMPLEMENTED = 0, 3, 5, 12

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS, _PING, _CONTINUATION = 0, 1, 4, 6, 9
_END_STREAM = _ACK = 0x1
_END_HEADERS, _PADDED, _PRIORITY = 0x4, 0x8, 0x20
_PREFIX_BYTES = 5
"""A flag and the length, in front of each gRPC message."""


def serve(taking: socket.socket, answer: Answer, tls: "ssl.SSLContext | None" = None) -> None:
    """Take connections until the socket is closed."""
    if tls is not None:
        tls.set_alpn_protocols(["h2"])
    while True:
        try:
            connection, _ = taking.accept()
        except OSError:
            return
        threading.Thread(target=_converse, args=(connection, answer, tls), daemon=True).start()


def _converse(connection: socket.socket, answer: Answer, tls: "ssl.SSLContext | None") -> None:
    try:
        if tls is not None:
            connection = tls.wrap_socket(connection, server_side=True)
        with contextlib.closing(connection), connection.makefile("rb") as stream:
            if stream.read(len(_PREFACE)) == _PREFACE:
                _Connection(connection, stream, answer).run()
    except OSError:
        connection.close()  # the client is gone


class _Connection:
    """One connection: its header tables and the calls that are not complete yet."""

    def __init__(self, connection: socket.socket, stream: IO[bytes], answer: Answer) -> None:
        self._connection = connection
        self._stream = stream
        self._answer = answer
        self._decoder = Decoder()
        self._encoder = Encoder()
        self._methods: dict[int, str] = {}
        self._bodies: dict[int, bytes] = {}

    def run(self) -> None:
        """Answer calls until the client leaves."""
        self._send(_SETTINGS, 0, 0, b"")
        while head := self._stream.read(9):
            high, low, kind, flags, number = struct.unpack(">BHBBI", head)
            payload = self._stream.read(high << 16 | low)
            if kind == _SETTINGS and not flags & _ACK:
                self._send(_SETTINGS, _ACK, 0, b"")
            elif kind == _PING and not flags & _ACK:
                self._send(_PING, _ACK, 0, payload)
            elif kind == _HEADERS:
                self._begin(number, flags, _unpadded(flags, payload)[5 if flags & _PRIORITY else 0 :])
            elif kind == _DATA:
                self._bodies[number] = self._bodies.get(number, b"") + _unpadded(flags, payload)
            if kind in (_HEADERS, _DATA) and flags & _END_STREAM:
                self._finish(number)

    def _begin(self, number: int, flags: int, block: bytes) -> None:
        while not flags & _END_HEADERS:
            high, low, _, flags, _ = struct.unpack(">BHBBI", self._stream.read(9))
            block += self._stream.read(high << 16 | low)
        headers = self._decoder.decode(block, raw=True)
        self._methods[number] = next((bytes(value).decode() for name, value in headers if name == b":path"), "")

    def _finish(self, number: int) -> None:
        message = self._bodies.pop(number, b"")[_PREFIX_BYTES:]
        code, words = self._answer(self._methods.pop(number, ""), message)
        begin = [(":status", "200"), ("content-type", "application/grpc")]
        end = [("grpc-status", str(code))]
        if code != OK:
            block = self._encoder.encode([*begin, *end, ("grpc-message", words.decode())])
            self._send(_HEADERS, _END_HEADERS | _END_STREAM, number, block)
            return
        self._send(_HEADERS, _END_HEADERS, number, self._encoder.encode(begin))
        self._send(_DATA, 0, number, struct.pack(">BI", 0, len(words)) + words)
        self._send(_HEADERS, _END_HEADERS | _END_STREAM, number, self._encoder.encode(end))

    def _send(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        head = struct.pack(">BHBBI", len(payload) >> 16, len(payload) & 0xFFFF, kind, flags, number)
        self._connection.sendall(head + payload)


def _unpadded(flags: int, payload: bytes) -> bytes:
    return payload[1 : len(payload) - payload[0]] if flags & _PADDED else payload
