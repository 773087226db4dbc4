"""A request while it arrives: what the parser found so far, and the rules that a head must keep.

What two readers could understand in two ways is refused (RFC 9112, sections 3, 5 and 6): that is how requests are
smuggled past whoever checks them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from pilothouse.net.request_body import RequestBody

_KNOWN = {
    name.encode(): name.lower()
    for name in (
        "Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Encoding", "Content-Length",
        "Content-Type", "Expect", "Host", "Kubectl-Command", "Kubectl-Session", "Origin", "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version", "Transfer-Encoding", "Upgrade",
        "User-Agent", "X-Stream-Protocol-Version",
    )
}  # fmt: skip
_ONCE = frozenset({"host", "content-length", "transfer-encoding", "authorization", "content-type"})
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
TARGET = re.compile(rb"/[\x21-\x22\x24-\x7e]*")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not even looked at. The connection ends with it."""

    status: int
    text: str


class Arrival:
    """One request on its way in."""

    __slots__ = (
        "body", "close", "complete", "count", "expects", "head_complete", "headers", "method", "modern", "new_body",
        "repeated", "size", "target",
    )  # fmt: skip

    def __init__(self, new_body: Callable[[], RequestBody]) -> None:
        self.new_body = new_body
        self.method = ""
        self.target = b""
        self.headers: dict[str, str] = {}
        self.repeated: dict[str, tuple[str, ...]] = {}
        self.size = 0
        self.count = 0
        self.body: RequestBody | None = None
        self.head_complete = False
        self.modern = True
        self.close = False
        self.expects = False
        self.complete = False

    def add_header(self, name: bytes, value: bytes) -> Refusal | None:
        """Take one header; repeated ones are joined."""
        self.size += len(name) + len(value) + 4
        self.count += 1
        key = _KNOWN.get(name)
        if key is None:
            text = name.decode("latin-1")
            if not _NAME.fullmatch(text):
                return Refusal(400, "invalid header name")
            key = text.lower()
        content = value.decode("latin-1")
        if _CONTROL.search(content):
            return Refusal(400, "invalid header value")
        if key in self.headers:
            if key in _ONCE:
                return Refusal(400, f"more than one {key} header")
            self.repeated[key] = (*self.repeated.get(key, (self.headers[key],)), content)
            content = f"{self.headers[key]}, {content}"
        self.headers[key] = content
        return None

    def check_head(self, version: str) -> Refusal | None:
        """Judge the head when it is complete."""
        headers = self.headers
        if version not in ("1.1", "1.0"):
            return Refusal(505, "HTTP version not supported")
        self.modern = version == "1.1"
        if not TARGET.fullmatch(self.target):
            return Refusal(400, "the request target must be an absolute path")
        if "host" not in headers and self.modern:
            return Refusal(400, "missing required Host header")
        if "transfer-encoding" in headers:
            if "content-length" in headers:
                return Refusal(400, "both Content-Length and Transfer-Encoding")
            if headers["transfer-encoding"].lower() != "chunked" or not self.modern:
                return Refusal(400, "unsupported transfer encoding")
        if "expect" in headers:
            if headers["expect"].lower() != "100-continue":
                return Refusal(417, "unsupported expectation")
            self.expects = self.modern
        return None

    def again(self, target: bytes, new_body: Callable[[], RequestBody]) -> "Arrival":
        """The same head with another target, which was looked at."""
        arrival = Arrival(new_body)
        arrival.method, arrival.target, arrival.expects = self.method, target, self.expects
        arrival.headers, arrival.repeated = self.headers, self.repeated
        arrival.size, arrival.count = self.size, self.count
        return arrival

    def feed(self, piece: bytes) -> None:
        """Take a piece of the body."""
        if self.body is None:
            self.body = self.new_body()
        self.body.feed(piece)

    def finish(self) -> None:
        """The body is complete, if there is one."""
        self.complete = True
        if self.body is not None:
            self.body.finish()
