"""Forward: questions that are not ours, asked of the machine's own resolvers.

Each goes out from a port of its own with an id by chance, and only an answer from the resolver asked, with that id
and that question, counts (RFC 5452). What comes back truncated is asked again over TCP. Resolvers are tried in turn.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pilothouse.dns.wire import HEADER, QR, TC, Query, opt
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock

TRY = 2.0
"""Seconds to wait for one resolver."""
ROUNDS = 2
"""How often every resolver is asked before we give up."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A resolver outside the cluster."""

    host: str
    port: int = 53


class ForwardError(OSError):
    """No resolver answered."""


class Resolver(Protocol):
    """Who answers what is not ours."""

    async def ask(self, query: Query) -> bytes:
        """The answer as it came, with an id of any kind. Raises ForwardError."""
        ...


class Forwarder:
    """The resolvers, asked one after another."""

    def __init__(self, upstreams: Sequence[Upstream], clock: Clock, chance: Chance) -> None:
        self._upstreams = tuple(upstreams)
        self._clock = clock
        self._chance = chance

    async def ask(self, query: Query) -> bytes:
        """The first answer of a resolver that gives one. Raises ForwardError."""
        wrong: OSError = ForwardError("no resolvers to forward to")
        for upstream in self._upstreams * ROUNDS:
            packet = self._packet(query)
            try:
                async with self._clock.timeout(TRY):
                    answer = await _by_udp(upstream, packet, query)
                    if int.from_bytes(answer[2:4], "big") & TC:
                        answer = await _by_tcp(upstream, packet, query)
                return answer
            except (OSError, EOFError) as error:
                wrong = error if isinstance(error, OSError) else ForwardError("the connection ended early")
        raise ForwardError(f"no resolver answered: {wrong}") from wrong

    def _packet(self, query: Query) -> bytes:
        id_ = self._chance.below(1 << 16).to_bytes(2, "big")
        flags = query.flags & 0x0110 | 0x0100  # the asker's CD; recursion is what we want in any case
        extra = opt() if query.edns else b""
        if query.dnssec:
            extra = extra[:7] + b"\x80" + extra[8:]
        counts = b"\0\1\0\0\0\0\0\1" if query.edns else b"\0\1\0\0\0\0\0\0"
        return id_ + flags.to_bytes(2, "big") + counts + query.question + extra


def _matches(answer: bytes, packet: bytes, query: Query) -> bool:
    end = HEADER + len(query.question)
    return (
        len(answer) >= end
        and answer[:2] == packet[:2]
        and bool(int.from_bytes(answer[2:4], "big") & QR)
        and answer[4:6] == b"\0\1"
        and answer[HEADER:end].lower() == query.question.lower()
    )


class _Exchange(asyncio.DatagramProtocol):
    """One question by UDP."""

    def __init__(self, packet: bytes, query: Query) -> None:
        self._packet = packet
        self._query = query
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _address: object) -> None:
        if not self.answer.done() and _matches(data, self._packet, self._query):
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def _by_udp(upstream: Upstream, packet: bytes, query: Query) -> bytes:
    loop = asyncio.get_running_loop()
    transport, exchange = await loop.create_datagram_endpoint(
        lambda: _Exchange(packet, query), remote_addr=(upstream.host, upstream.port)
    )
    try:
        transport.sendto(packet)
        return await exchange.answer
    finally:
        exchange.answer.cancel()
        transport.close()


async def _by_tcp(upstream: Upstream, packet: bytes, query: Query) -> bytes:
    reader, writer = await asyncio.open_connection(upstream.host, upstream.port)
    try:
        writer.write(len(packet).to_bytes(2, "big") + packet)
        await writer.drain()
        answer = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
    finally:
        writer.close()
    if not _matches(answer, packet, query):
        raise ForwardError(f"{upstream.host} answered something else")
    return answer
