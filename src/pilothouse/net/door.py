"""What the connections of one server share: whom they ask, what they grant, and who is connected."""

import asyncio
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Protocol

from cryptography import x509

from pilothouse.net.http import Handler, Peer
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks

_READ = 64 * 1024
"""How much is read at once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may ask of us. Times are seconds."""

    header_bytes: int = 128 * 1024
    """Size of a request's head."""
    header_count: int = 256
    """Number of its headers."""
    head: float = 32.0
    """From the first byte of a head to its last; also from connecting to the first request."""
    idle: float = 90.0
    """Between two requests."""
    body: float = 60.0
    """Between two pieces of a body that the handler waits for."""
    write: float = 120.0
    """Between two moments in which the client takes something of an answer."""
    farewell: float = 5.0
    """From closing a connection until what is left must have been sent."""


class Connected(Protocol):
    """One connection, whatever it speaks."""

    @property
    def busy(self) -> bool:
        """Whether an answer is owed."""
        ...

    def retire(self) -> None:
        """Take no more requests: close now, or after what is under way."""
        ...

    def abort(self) -> None:
        """Drop the connection."""
        ...


@dataclass(slots=True, eq=False)
class Door:
    """What the connections of one server share."""

    handler: Handler
    clock: Clock
    limits: Limits
    tasks: Tasks
    connections: dict["Connected", None] = field(default_factory=dict)
    draining: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever a connection ends or becomes idle."""
    arriving: memoryview = field(default_factory=lambda: memoryview(bytearray(_READ)))
    """Where bytes arrive, parsed before anything else runs. Without it TLS takes fresh memory for every read."""
    _second: int = 0
    _date: str = ""

    def date(self) -> str:
        """The Date header, made once a second."""
        second = int(self.clock.now())
        if second != self._second:
            self._second = second
            self._date = f"Date: {formatdate(second, usegmt=True)}\r\n"
        return self._date


def peer_of(transport: asyncio.Transport) -> Peer:
    """Who is at the other end, as the handshake found."""
    name = transport.get_extra_info("peername")
    address = ""
    if isinstance(name, tuple) and len(name) >= 2:
        address = f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
    tls = transport.get_extra_info("ssl_object")
    encoded = tls.getpeercert(binary_form=True) if tls is not None else None
    return Peer(address, x509.load_der_x509_certificate(encoded) if encoded else None)
