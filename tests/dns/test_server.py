"""The sockets: connections that say nothing, nonsense, and more than one question."""

import asyncio

import dnslib
import pytest

from pilothouse.dns.cache import Cache
from pilothouse.dns.forward import Forwarder
from pilothouse.dns.resolve import Resolution
from pilothouse.dns.server import IDLE, Address, Server
from pilothouse.dns.zone import Zone
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock


class Hasty(SystemClock):
    def timeout(self, seconds: float | None) -> asyncio.Timeout:
        return super().timeout(0.05 if seconds == IDLE else seconds)


def server(clock: SystemClock) -> Server:
    resolution = Resolution(Zone(), Cache(clock), Forwarder((), clock, Chance(1)))
    return Server(resolution, (Address("127.0.0.1", 0),), clock)


@pytest.mark.parametrize("sent", [b"", b"\0", b"\0\x20short", b"\0\3abc"])
def test_connection_without_a_question_is_closed(sent: bytes) -> None:
    async def scenario() -> None:
        async with server(Hasty()) as listening:
            here = listening.bound[0]
            reader, writer = await asyncio.open_connection(here.host, here.port)
            writer.write(sent)
            assert await reader.read() == b""
            writer.close()

    asyncio.run(scenario())


def test_silent_resolvers_are_a_failure_also_by_tcp() -> None:
    async def scenario() -> None:
        async with server(SystemClock()) as listening:
            here = listening.bound[0]
            reader, writer = await asyncio.open_connection(here.host, here.port)
            packet = dnslib.DNSRecord.question("example.org").pack()
            writer.write((len(packet).to_bytes(2, "big") + packet) * 2)
            for _ in range(2):
                length = int.from_bytes(await reader.readexactly(2), "big")
                assert dnslib.DNSRecord.parse(await reader.readexactly(length)).header.rcode == 2
            writer.close()

    asyncio.run(scenario())


def test_address_in_use_is_an_error_and_leaves_nothing_behind() -> None:
    async def scenario() -> None:
        clock = SystemClock()
        async with server(clock) as listening:
            resolution = Resolution(Zone(), Cache(clock), Forwarder((), clock, Chance(1)))
            with pytest.raises(OSError, match="in use"):
                async with Server(resolution, (Address("127.0.0.1", 0), *listening.bound), clock):
                    pass

    asyncio.run(scenario())
