"""What is kept of others' answers, and for how long."""

import dnslib
import pytest

from pilothouse.dns.cache import Cache
from pilothouse.dns.wire import Query, parse_query
from pilothouse.runtime.clock import SystemClock


class FakeClock(SystemClock):
    moment = 0.0

    def monotonic(self) -> float:
        return self.moment


def question(name: str = "a.b") -> Query:
    query = parse_query(bytes(dnslib.DNSRecord.question(name).pack()))
    assert query is not None
    return query


def answer(ttl: int = 0, *, code: int = 0, truncated: bool = False) -> bytes:
    made = dnslib.DNSRecord.question("a.b").reply()
    made.header.rcode, made.header.tc = code, int(truncated)
    if ttl:
        made.add_answer(dnslib.RR("a.b", ttl=ttl, rdata=dnslib.A("192.0.2.1")))
    return bytes(made.pack())


@pytest.mark.parametrize(
    ("packet", "at", "kept"),
    [
        (answer(10), 9.9, True),
        (answer(10), 10.0, False),
        (answer(3600), 29.9, True),
        (answer(3600), 30.0, False),
        (answer(10, code=3), 5.0, True),
        (answer(10, code=2), 0.0, False),
        (answer(10, truncated=True), 0.0, False),
        (answer(), 0.0, False),
    ],
)
def test_kept(packet: bytes, at: float, kept: bool) -> None:
    clock = FakeClock()
    cache = Cache(clock)
    cache.put(question(), packet)
    clock.moment = at
    assert (cache.get(question()) is not None) is kept


def test_the_longest_unused_goes_first() -> None:
    cache = Cache(FakeClock(), 2)
    for name in ("a.b", "c.d"):
        cache.put(question(name), answer(10))
    assert cache.get(question("a.b"))
    cache.put(question("e.f"), answer(10))
    assert [cache.get(question(name)) is not None for name in ("a.b", "c.d", "e.f")] == [True, False, True]
