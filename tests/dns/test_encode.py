"""Answers as bytes."""

import dnslib

from pilothouse.client.key import Key
from pilothouse.dns.encode import KEPT, Answers
from pilothouse.dns.records import Record
from pilothouse.dns.wire import Query, parse_query
from pilothouse.dns.zone import Zone


def question(name: str, kind: str = "A") -> Query:
    query = parse_query(bytes(dnslib.DNSRecord.question(name, kind).pack()))
    assert query is not None
    return query


def test_every_type_survives_the_way() -> None:
    zone = Zone("cluster.local", "10.96.0.10")
    values = {"A": "10.1.0.1", "AAAA": "fd00::1", "PTR": "a.b", "TXT": "hello", "CNAME": "c.d"}
    zone.set(Key("", "x"), [Record("x.cluster.local", kind, value) for kind, value in values.items()])
    zone.set(Key("", "y"), [Record("_p._tcp.cluster.local", "SRV", "x.cluster.local", 80, 100)])
    answers = Answers(zone)
    for kind, value in values.items():
        query = question("x.cluster.local", kind)
        packet = answers.make(query, zone.answer(query.name, kind))
        assert str(dnslib.DNSRecord.parse(packet).rr[0].rdata).strip('".') == value
    query = question("_p._tcp.cluster.local", "SRV")
    parsed = dnslib.DNSRecord.parse(answers.make(query, zone.answer(query.name, "SRV")))
    assert str(parsed.rr[0].rdata) == "0 100 80 x.cluster.local."
    assert {str(row.rdata) for row in parsed.ar} == {"10.1.0.1", "fd00::1"}
    query = question("cluster.local", "SOA")
    parsed = dnslib.DNSRecord.parse(answers.make(query, zone.answer(query.name, "SOA")))
    assert [row.rtype for row in parsed.rr] == [6]
    assert not parsed.auth


def test_kept_until_the_zone_changes_and_not_without_end() -> None:
    zone = Zone()
    answers = Answers(zone)
    query = question("x.cluster.local")
    assert answers.kept(query) is None
    packet = answers.make(query, zone.answer(query.name, "A"))
    assert answers.kept(query) is packet
    zone.set_namespace("ns", True)
    assert answers.kept(query) is None
    answers.make(query, zone.answer(query.name, "A"))
    answers._kept.update({(bytes(str(n), "ascii"), False, False): b"" for n in range(KEPT)})
    assert answers.kept(query) is None
