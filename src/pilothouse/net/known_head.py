"""A head that repeats: on a kept connection clients send the same headers again and again, only the first line differs.

What stands below the first line of a request is remembered once the parser has judged it. The same bytes mean the same
the next time, whatever path and method stand above them, as long as these are read strictly and nothing follows.
"""

import re
from collections.abc import Callable

from pilothouse.net.arrival import Arrival
from pilothouse.net.request_body import RequestBody

_FIRST_LINE = re.compile(rb"(GET|HEAD|DELETE) (/[\x21-\x22\x24-\x7e]*) HTTP/1\.1")
_METHODS = {b"GET": "GET", b"HEAD": "HEAD", b"DELETE": "DELETE"}
_END = b"\r\n\r\n"


class KnownHead:
    """The headers that one connection's last request without a body came with."""

    def __init__(self, new_body: Callable[[], RequestBody]) -> None:
        self._new_body = new_body
        self._below = b""
        self._headers: dict[str, str] = {}
        self._repeated: dict[str, tuple[str, ...]] = {}
        self._count = 0

    def learn(self, piece: bytes, arrival: Arrival) -> None:
        """Remember the head of a request that is all of `piece`, if it has no body and leaves the connection open."""
        first, _, _ = piece.partition(b"\r\n")
        whole = piece.find(_END) == len(piece) - len(_END) and _FIRST_LINE.fullmatch(first)
        if whole and arrival.complete and arrival.body is None and not arrival.close and not arrival.expects:
            self._below = piece[len(first) :]
            self._headers, self._repeated, self._count = arrival.headers, arrival.repeated, arrival.count

    def read(self, piece: bytes) -> Arrival | None:
        """The request that is all of `piece`, where its headers are those remembered."""
        if not self._below or not piece.endswith(self._below):
            return None
        line = _FIRST_LINE.fullmatch(piece, 0, len(piece) - len(self._below))
        if line is None:
            return None
        arrival = Arrival(self._new_body)
        arrival.method, arrival.target = _METHODS[line[1]], line[2]
        arrival.headers, arrival.repeated, arrival.count = self._headers, self._repeated, self._count
        arrival.head_complete = arrival.complete = True
        return arrival
