"""Encode: the zone's answers as bytes, made once a question and kept until the zone changes.

The bytes hold the id 0 and the letters of who asked first; `wire.reply` makes them out to everybody else.
"""

import struct
from collections.abc import Sequence

import dnslib

from pilothouse.dns.records import Record
from pilothouse.dns.wire import AA, HEADER, NXDOMAIN, QR, RA, RD, Query, opt
from pilothouse.dns.zone import TTL, Answer, Outcome, Zone

Outside = Sequence[tuple[int, int, bytes]]
"""Addresses found outside: type, time to live, address."""
KEPT = 20_000
"""Answers kept at most: whoever asks for random names must not fill the memory."""


class Answers:
    """The zone in bytes."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._revision = -1
        self._kept: dict[tuple[bytes, bool, bool], bytes] = {}

    def kept(self, query: Query) -> bytes | None:
        """The answer if it was made before and still holds."""
        if self._revision != self._zone.revision or len(self._kept) > KEPT:
            self._kept.clear()
            self._revision = self._zone.revision
        return self._kept.get(query.key)

    def make(self, query: Query, answer: Answer, outside: Outside = ()) -> bytes:
        """Encode an answer, with the addresses of an alias outside behind our own records; these are not kept."""
        packet = encode(query, answer, self._zone, outside)
        if not answer.alias:
            self._kept[query.key] = packet
        return packet


def encode(query: Query, answer: Answer, zone: Zone, outside: Outside = ()) -> bytes:
    """One answer as bytes."""
    rows = [_row(record, zone) for record in answer.records]
    rows += [_outside_row(answer.alias, *each) for each in outside]
    authority = [] if rows or not zone.holds(query.name) else [_row(Record(zone.domain, "SOA", ""), zone)]
    additional = [_row(record, zone) for record in answer.additional]
    flags = QR | AA | RA | (query.flags & RD) | (NXDOMAIN if answer.outcome is Outcome.NO_NAME else 0)
    counts = (1, len(rows), len(authority), len(additional) + query.edns)
    buffer = dnslib.DNSBuffer()
    buffer.append(struct.pack("!6H", query.id, flags, *counts) + query.question)
    buffer.names = _places(query.question)
    for row in (*rows, *authority, *additional):
        row.pack(buffer)
    return bytes(buffer.data) + (opt() if query.edns else b"")


def _places(question: bytes) -> dict[tuple[bytes, ...], int]:
    """Where the name asked for and those above it stand: records point there, and so keep the asker's letters."""
    labels: list[bytes] = []
    starts: list[int] = []
    place = 0
    while question[place]:
        starts.append(HEADER + place)
        labels.append(question[place + 1 : place + 1 + question[place]].lower())
        place += 1 + question[place]
    return {tuple(labels[number:]): start for number, start in enumerate(starts)}


def _outside_row(name: str, kind: int, ttl: int, address: bytes) -> dnslib.RR:
    return dnslib.RR(name, kind, rdata=dnslib.A(tuple(address)) if kind == 1 else dnslib.AAAA(tuple(address)), ttl=ttl)


def _row(record: Record, zone: Zone) -> dnslib.RR:
    value = record.value
    match record.type:
        case "A":
            data = dnslib.A(value)
        case "AAAA":
            data = dnslib.AAAA(value)
        case "SRV":
            data = dnslib.SRV(0, record.weight, record.port, value)
        case "TXT":
            data = dnslib.TXT(value)
        case "PTR":
            data = dnslib.PTR(value)
        case "NS":
            data = dnslib.NS(value)
        case "CNAME":
            data = dnslib.CNAME(value)
        case _:
            contact = (f"ns.dns.{zone.domain}", f"hostmaster.{zone.domain}")
            data = dnslib.SOA(*contact, (zone.revision & 0xFFFFFFFF, 7200, 1800, 86400, TTL))
    return dnslib.RR(record.name, getattr(dnslib.QTYPE, record.type), rdata=data, ttl=TTL)
