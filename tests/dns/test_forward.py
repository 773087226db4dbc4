"""What counts as an answer from outside; the way over real sockets is in test_main."""

import asyncio

import dnslib
import pytest

from pilothouse.dns.forward import Forwarder, ForwardError, Upstream, _matches
from pilothouse.dns.wire import Query, parse_query
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import SystemClock


def question(*, dnssec: bool = False) -> Query:
    asked = dnslib.DNSRecord.question("Example.org")
    if dnssec:
        asked.add_ar(dnslib.EDNS0(flags="do"))
    query = parse_query(bytes(asked.pack()))
    assert query is not None
    return query


@pytest.mark.parametrize("dnssec", [False, True])
def test_packet_sent(dnssec: bool) -> None:
    forwarder = Forwarder((), SystemClock(), Chance(1))
    packets = [dnslib.DNSRecord.parse(forwarder._packet(question(dnssec=dnssec))) for _ in range(2)]
    assert packets[0].header.id != packets[1].header.id
    assert str(packets[0].q.qname) == "Example.org."
    assert packets[0].header.rd == 1
    assert [bool(row.edns_do) for row in packets[0].ar] == ([True] if dnssec else [])


def test_matches() -> None:
    query = question()
    packet = Forwarder((), SystemClock(), Chance(1))._packet(query)
    right = dnslib.DNSRecord.parse(packet).reply().pack()
    other = dnslib.DNSRecord.question("example.net").reply().pack()
    assert _matches(right, packet, query)
    assert not _matches(bytes((right[0] ^ 1,)) + right[1:], packet, query)
    assert not _matches(packet, packet, query)
    assert not _matches(packet[:2] + other[2:], packet, query)
    assert not _matches(right[:20], packet, query)


def test_no_resolvers() -> None:
    with pytest.raises(ForwardError, match="no resolvers"):
        asyncio.run(Forwarder((), SystemClock(), Chance(1)).ask(question()))


def test_the_next_resolver_is_asked_when_one_refuses() -> None:
    class Answers(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(dnslib.DNSRecord.parse(data).reply().pack(), addr)  # type: ignore[attr-defined]

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        closed, _ = await loop.create_datagram_endpoint(Answers, local_addr=("127.0.0.1", 0))
        gone = Upstream("127.0.0.1", closed.get_extra_info("sockname")[1])
        closed.close()
        await asyncio.sleep(0)  # noqa: TID251 - lets the socket close
        there, _ = await loop.create_datagram_endpoint(Answers, local_addr=("127.0.0.1", 0))
        upstream = Upstream("127.0.0.1", there.get_extra_info("sockname")[1])
        assert await Forwarder((gone, upstream), SystemClock(), Chance(1)).ask(question())
        there.close()

    asyncio.run(scenario())
