"""A packet's way: bytes in, bytes out, and nothing breaks it."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import dnslib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.client.key import Key
from pilothouse.dns.cache import Cache
from pilothouse.dns.forward import ForwardError
from pilothouse.dns.records import Record
from pilothouse.dns.resolve import Resolution
from pilothouse.dns.wire import Query
from pilothouse.dns.zone import Zone
from pilothouse.runtime.clock import SystemClock

WEB = "web.ns.svc.cluster.local"


class Outside:
    """A resolver of the test's own."""

    def __init__(self, *rows: dnslib.RR, code: int = 0) -> None:
        self.asked: list[str] = []
        self.rows = rows
        self.code = code
        self.down = False

    async def ask(self, query: Query) -> bytes:
        self.asked.append(query.name)
        if self.down:
            raise ForwardError("no resolver answered")
        header = dnslib.DNSHeader(id=7, qr=1, ra=1, rcode=self.code)
        reply = dnslib.DNSRecord(header, q=dnslib.DNSQuestion.parse(dnslib.DNSBuffer(query.question)))
        for row in self.rows:
            reply.add_answer(row)
        return bytes(reply.pack())


class FakeClock(SystemClock):
    moment = 0.0

    def monotonic(self) -> float:
        return self.moment


def resolution(outside: Outside | None = None, clock: FakeClock | None = None) -> Resolution:
    zone = Zone("cluster.local", "10.96.0.10")
    zone.set_namespace("ns", True)
    zone.set(Key("ns", "web"), [Record(WEB, "A", "10.96.0.7")])
    zone.set(Key("ns", "out"), [Record("out.cluster.local", "CNAME", "example.org")])
    zone.set(Key("ns", "big"), [Record("big.cluster.local", "A", f"10.1.{n // 200}.{n % 200}") for n in range(300)])
    return Resolution(zone, Cache(clock or FakeClock()), outside or Outside())


def query(name: str, kind: str = "A", *, id_: int = 5, edns: int = 0, **header: Any) -> bytes:
    asked = dnslib.DNSRecord(dnslib.DNSHeader(id=id_, **{"rd": 1, **header}))
    asked.add_question(dnslib.DNSQuestion(name, getattr(dnslib.QTYPE, kind)))
    if edns:
        asked.add_ar(dnslib.EDNS0(udp_len=edns))
    return bytes(asked.pack())


def ask(where: Resolution, packet: bytes, *, stream: bool = False) -> bytes:
    answer = where.resolve(packet, stream=stream)
    assert answer is not None
    return answer if isinstance(answer, bytes) else asyncio.run(_await(answer))


async def _await(answer: Awaitable[bytes]) -> bytes:
    return await answer


def parsed(where: Resolution, name: str, kind: str = "A", **how: Any) -> dnslib.DNSRecord:
    return dnslib.DNSRecord.parse(ask(where, query(name, kind, **how)))


def test_answer_is_ours_and_in_the_letters_asked() -> None:
    where = resolution()
    for id_, name in ((1, WEB), (2, "wEB.Ns.svc.CLUSTER.local"), (3, WEB.upper())):
        packet = ask(where, query(name, id_=id_))
        answer = dnslib.DNSRecord.parse(packet)
        assert answer.header.id == id_
        assert (answer.header.aa, answer.header.ra, answer.header.rd, answer.header.rcode) == (1, 1, 1, 0)
        assert [(str(row.rname), row.ttl, str(row.rdata)) for row in answer.rr] == [(name + ".", 30, "10.96.0.7")]


def test_answer_follows_the_zone() -> None:
    where = resolution()
    assert parsed(where, WEB).rr
    where._zone.set(Key("ns", "web"), ())
    assert parsed(where, WEB).header.rcode == 3


@pytest.mark.parametrize(("name", "kind", "code"), [("no." + WEB, "A", 3), (WEB, "MX", 0)])
def test_nothing_comes_with_the_soa_and_never_leaves(name: str, kind: str, code: int) -> None:
    outside = Outside()
    answer = parsed(resolution(outside), name, kind)
    assert answer.header.rcode == code
    assert not answer.rr
    assert [(str(row.rname), row.rtype, row.rdata.times[4]) for row in answer.auth] == [("cluster.local.", 6, 30)]
    assert not outside.asked


def test_forwarded_answer_is_kept_and_ages() -> None:
    clock = FakeClock()
    outside = Outside(dnslib.RR("example.org", ttl=20, rdata=dnslib.A("192.0.2.1")))
    where = resolution(outside, clock)
    assert parsed(where, "example.org").rr[0].ttl == 20
    clock.moment = 5.0
    again = parsed(where, "EXAMPLE.org", id_=9)
    assert (again.header.id, again.rr[0].ttl, str(again.q.qname)) == (9, 15, "EXAMPLE.org.")
    assert outside.asked == ["example.org"]
    clock.moment = 21.0
    parsed(where, "example.org")
    assert len(outside.asked) == 2


def test_alias_outside_brings_its_address() -> None:
    outside = Outside(dnslib.RR("example.org", ttl=20, rdata=dnslib.A("192.0.2.1")))
    answer = parsed(resolution(outside), "out.cluster.local")
    assert [str(row.rdata) for row in answer.rr] == ["example.org.", "192.0.2.1"]
    assert outside.asked == ["example.org"]
    assert [row.rtype for row in parsed(resolution(outside), "out.cluster.local", "TXT").rr] == [5]
    six = Outside(dnslib.RR("else.org", ttl=20, rtype=28, rdata=dnslib.AAAA("2001:db8::1")))
    answer = parsed(resolution(six), "out.cluster.local", "AAAA")
    assert [(str(row.rname), str(row.rdata)) for row in answer.rr][1] == ("example.org.", "2001:db8::1")


def test_resolvers_that_are_silent_are_a_server_failure() -> None:
    outside = Outside()
    outside.down = True
    answer = parsed(resolution(outside), "example.org")
    assert (answer.header.rcode, answer.header.id) == (2, 5)


def test_truncation_and_edns() -> None:
    where = resolution()
    plain = ask(where, query("big.cluster.local"))
    assert len(plain) <= 512
    assert dnslib.DNSRecord.parse(plain).header.tc
    large = ask(where, query("big.cluster.local", edns=4096))
    answer = dnslib.DNSRecord.parse(large)
    assert len(large) <= 1232
    assert answer.header.tc
    assert answer.ar[0].rtype == 41
    assert len(dnslib.DNSRecord.parse(ask(where, query("big.cluster.local"), stream=True)).rr) == 300
    assert [row.rtype for row in parsed(where, WEB, edns=1232).ar] == [41]


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (query(WEB, opcode=4), 4),
        (query(WEB, "AXFR"), 5),
        (query(WEB)[:-3], 1),
        (b"\0\1\1\0\0\2\0\0\0\0\0\0", 1),
        (query(WEB)[:-2] + b"\0\3", 5),
    ],
)
def test_refused(packet: bytes, code: int) -> None:
    answer = ask(resolution(), packet)
    assert answer[:2] == packet[:2]
    assert answer[3] & 0xF == code


def test_unknown_edns_version() -> None:
    packet = query(WEB, edns=1232)
    answer = dnslib.DNSRecord.parse(ask(resolution(), packet[:-5] + b"\1" + packet[-4:]))
    assert answer.header.rcode == 0
    assert answer.ar[0].ttl >> 24 == 1


@pytest.mark.parametrize("packet", [b"", b"short", query(WEB, qr=1)])
def test_answers_are_not_answered(packet: bytes) -> None:
    assert resolution().resolve(packet, stream=False) is None


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 60), st.booleans())
def test_no_packet_breaks_it(noise: bytes, place: int, whole: bool) -> None:
    base = query(WEB, edns=1232)
    packet = noise if whole else base[:place] + noise + base[place + len(noise) :]
    answer = _SHARED.resolve(packet, stream=False)
    if answer is not None:
        answer = answer if isinstance(answer, bytes) else asyncio.run(_await(answer))
        assert answer[:2] == packet[:2]
        assert len(answer) <= 1232


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 60))
def test_no_answer_from_outside_breaks_it(noise: bytes, place: int) -> None:
    class Hostile(Outside):
        async def ask(self, query: Query) -> bytes:
            whole = await super().ask(query)
            place_ = 12 + len(query.question) + place
            return whole[:6] + noise[:6] + whole[6 + len(noise[:6]) : place_] + noise + whole[place_ + len(noise) :]

    for name in ("example.org", "out.cluster.local"):
        hostile = Hostile(dnslib.RR("example.org", ttl=20, rdata=dnslib.A("192.0.2.1")))
        assert ask(resolution(hostile), query(name))[:2] == b"\0\5"


_DOWN = Outside()
_DOWN.down = True
_SHARED = resolution(_DOWN)
