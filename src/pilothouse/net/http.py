"""Request and Response: what the front door hands to a handler and takes back.

The in-process transport builds the same Request and calls the same handler, so a test cluster without sockets runs
the code that a real one runs.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from cryptography import x509


class BodyTooLarge(Exception):
    """The body exceeds the limit given to `Request.read`."""


class ByteStream(Protocol):
    """A connection after an upgrade: raw bytes both ways."""

    async def read(self) -> bytes:
        """The next bytes; empty at the end of the peer's stream."""
        ...

    async def write(self, data: bytes) -> None:
        """Send, waiting while the peer is slow. Raises ConnectionError when it is gone."""
        ...

    def write_eof(self) -> None:
        """Close our half, where the transport can."""
        ...

    async def close(self) -> None:
        """Close both halves."""
        ...


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end."""

    address: str
    """IP address and port, as `10.0.0.1:4711`; empty in process."""
    certificate: x509.Certificate | None = None
    """The client certificate that the TLS handshake verified against the client CA."""
    identity: object | None = None
    """In process only: the user, vouched for by whoever built the transport."""

    @property
    def host(self) -> str:
        """The IP address alone."""
        return self.address.rpartition(":")[0].strip("[]")


@dataclass(slots=True, eq=False)
class Request:
    """One request. `headers` has lower-case names; repeated headers are joined by `, `."""

    method: str
    target: str
    """Path and query as sent, still percent-encoded."""
    headers: Mapping[str, str]
    peer: Peer
    body: AsyncIterator[bytes] | bytes = b""
    repeated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The single values of headers that came more than once."""
    facts: dict[str, object] = field(default_factory=dict)
    """What the handlers of the chain learnt, for those after them."""

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of a header, by its lower-case name."""
        found = self.repeated.get(name)
        if found is not None:
            return found
        return (self.headers[name],) if name in self.headers else ()

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises BodyTooLarge as soon as it exceeds `limit` bytes."""
        if isinstance(self.body, bytes):
            if len(self.body) > limit:
                raise BodyTooLarge
            return self.body
        found = bytearray()  # not a list of pieces: there may be as many as bytes
        async for piece in self.body:
            if len(found) + len(piece) > limit:
                raise BodyTooLarge
            found += piece
        self.body = bytes(found)
        return self.body


Upgraded = Callable[[ByteStream], Awaitable[None]]
"""Runs on the raw connection after a 101 has been sent; the connection closes when it returns."""


@dataclass(slots=True, eq=False)
class Response:
    """One answer. A body of pieces is sent with its total length; an iterator is sent in chunks."""

    status: int
    body: bytes | Sequence[bytes | memoryview] | AsyncIterator[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    upgrade: Upgraded | None = None
    """With status 101: who takes the connection over."""
    length: int | None = None
    """How much an iterator will give in all, where that is known: it is then sent as it is, not in chunks."""
    repeated: Sequence[tuple[str, str]] = ()
    """Headers that come more than once, besides `headers`."""


@runtime_checkable
class Pushing(Protocol):
    """A body that iterates, and can besides hand a piece over when it comes, without waking whoever iterates."""

    def push_to(self, take: Callable[[bytes], bool]) -> None:
        """Offer every piece to `take` first. It says whether the piece is on its way; iteration gives the others."""
        ...


Handler = Callable[[Request], Awaitable[Response]]
