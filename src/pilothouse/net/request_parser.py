"""What comes on one connection, as requests in line: httptools reads the bytes, each complete head gets in line.

A body follows its head into the same `Arrival`. The first thing that is wrong is the last that is looked at: whatever
stands behind it could be read in two ways. What follows a request that asks to switch protocols is not ours to read;
it is kept for whoever takes over.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import httptools

from pilothouse.net.arrival import Arrival, Refusal
from pilothouse.net.door import Limits
from pilothouse.net.known_head import KnownHead
from pilothouse.net.request_body import RequestBody
from pilothouse.runtime.clock import Clock

_EARLY = 64 * 1024
"""How much a client may send ahead of the 101 it asks for."""
_TOO_LARGE = Refusal(431, "request header fields too large")


class RequestParser:
    """Fed by the connection; the connection's task takes requests out of `line`."""

    def __init__(self, clock: Clock, limits: Limits, flow: Callable[[bool], None]) -> None:
        self._clock = clock
        self._limits = limits
        self._flow = flow
        """Told False when enough has come, True when more is welcome."""
        self._parser: Any = httptools.HttpRequestParser(self)
        self._known = KnownHead(self.new_body)
        self._last = False
        """Whether a request has ended the connection: what comes after it is refused."""
        self._head_bytes = 0
        self._unread: list[bytes] = []
        self.line: deque[Arrival] = deque()
        self.arrival: Arrival | None = None
        """The request that is still coming."""
        self.refusal: Refusal | None = None
        self.switching = False
        """Whether the last request in line asks for another protocol."""

    def feed(self, data: memoryview) -> bool:
        """Take what has come; whether a head has begun that is not complete yet."""
        if self.switching:
            self._keep(data)
            return False
        if self.arrival is None and not self._last and len(data) <= self._limits.header_bytes:
            return self._begin(bytes(data))
        return self._parse(data)

    def _begin(self, piece: bytes) -> bool:
        """Take what comes where a request begins: often one with the headers of the one before."""
        found = self._known.read(piece)
        if found is not None:
            self.line.append(found)
            return False
        waiting = len(self.line)
        begun = self._parse(memoryview(piece))
        if self.arrival is None and len(self.line) == waiting + 1 and not self.switching and self.refusal is None:
            self._known.learn(piece, self.line[-1])
        return begun

    def _parse(self, data: memoryview) -> bool:
        before = self.arrival
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as switch:
            self.switching = True
            self._keep(data[switch.args[0] :])
        except httptools.HttpParserError:
            self.refuse(Refusal(400, "malformed request"))
        arrival = self.arrival
        if arrival is None or arrival.head_complete:
            return False
        if arrival is not before:
            return True
        self._head_bytes += len(data)
        if self._head_bytes > self._limits.header_bytes:
            self.refuse(_TOO_LARGE)
        return False

    def refuse(self, refusal: Refusal) -> None:
        """Look at nothing more, for this reason."""
        if self.refusal is None:
            self.refusal = refusal
            self.break_off(refusal.text)

    def break_off(self, why: str) -> None:
        """What is still coming will not be complete."""
        if self.arrival is not None and self.arrival.body is not None:
            self.arrival.body.fail(why)

    def new_body(self) -> RequestBody:
        """A body that is filled as it comes."""
        return RequestBody(self._clock, self._limits.body, self._flow)

    def unread(self) -> bytes:
        """What came behind the request that switches."""
        return b"".join(self._unread)

    def _keep(self, data: memoryview) -> None:
        self._unread.append(bytes(data))
        if sum(map(len, self._unread)) > _EARLY:
            self._flow(False)

    # What httptools calls.

    def on_message_begin(self) -> None:
        """A new request."""
        self.arrival = Arrival(self.new_body)

    def on_url(self, target: bytes) -> None:
        """A part of the request target."""
        arrival = self.arrival
        assert arrival is not None
        arrival.target += target
        arrival.size += len(target)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        arrival = self.arrival
        assert arrival is not None
        if arrival.head_complete:
            return  # a trailer: nobody reads them
        refusal = arrival.add_header(name, value)
        if refusal is not None:
            self.refuse(refusal)
        elif arrival.size > self._limits.header_bytes or arrival.count > self._limits.header_count:
            self.refuse(_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """The head is complete: judge it and put it in line."""
        arrival = self.arrival
        assert arrival is not None
        arrival.head_complete = True
        self._head_bytes = 0
        arrival.method = self._parser.get_method().decode("ascii")
        refusal = arrival.check_head(self._parser.get_http_version())
        if refusal is not None:
            self.refuse(refusal)
        if self.refusal is None:
            arrival.close = self._last = not arrival.modern or not self._parser.should_keep_alive()
            self.line.append(arrival)

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        if self.arrival is not None and self.refusal is None:
            self.arrival.feed(piece)

    def on_message_complete(self) -> None:
        """The body is complete."""
        if self.arrival is not None and self.refusal is None:
            self.arrival.finish()
        self.arrival = None
