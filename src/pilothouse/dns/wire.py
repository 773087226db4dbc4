"""Wire: the little of DNS messages that is read on the way of every packet, by hand and without trust.

Answers are made of bytes kept from earlier ones, so a query is read only as far as its question and its EDNS record.
Whatever is not of the right form raises FormatError, and nothing else. RFC 1035, RFC 6891.
"""

import struct
from dataclasses import dataclass

HEADER = 12
PLAIN_UDP = 512
"""Octets of a UDP answer to one who does not say that he takes more."""
BEST_UDP = 1232
"""What travels unfragmented nearly everywhere; more is not sent by UDP, whoever asks for it."""
QR, AA, TC, RD, RA = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = 1, 2, 3, 4, 5
ADDRESS_LENGTHS = {1: 4, 28: 16}
"""The types of addresses, A and AAAA, and how long each is."""
_OPT = 41


class FormatError(ValueError):
    """The packet is not a DNS message of the form we read."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question as it came."""

    id: int
    flags: int
    question: bytes
    """Name, type and class, in the letters they were asked in."""
    name: str
    """In lower case, without the final dot."""
    type: int
    klass: int
    edns: bool
    version: int
    dnssec: bool
    size: int
    """The largest UDP answer the asker takes."""

    @property
    def key(self) -> tuple[bytes, bool, bool]:
        """What answers are kept under."""
        return self.question.lower(), self.edns, self.dnssec


def parse_query(packet: bytes) -> Query | None:
    """Read a query; None for what deserves no answer at all (too short, or itself an answer)."""
    if len(packet) < HEADER:
        return None
    id_, flags, questions, answers, authorities, extras = struct.unpack_from("!6H", packet)
    if flags & QR:
        return None
    if questions != 1 or answers or authorities or extras > 2:
        raise FormatError("not a query with one question")
    labels, end = _labels(packet, HEADER)
    if len(packet) < end + 4:
        raise FormatError("the question ends early")
    kind, klass = struct.unpack_from("!2H", packet, end)
    size, version, edns, dnssec = PLAIN_UDP, 0, False, False
    place = end + 4
    for _ in range(extras):
        name_end = skip_name(packet, place)
        type_, wanted, ttl, length = _record(packet, name_end)
        place = name_end + 10 + length
        if type_ == _OPT:
            edns, version, dnssec = True, ttl >> 16 & 0xFF, bool(ttl & 0x8000)
            size = min(max(wanted, PLAIN_UDP), BEST_UDP)
    name = ".".join(label.decode("latin-1").replace(".", "\\.") for label in labels).lower()
    return Query(id_, flags, packet[HEADER : end + 4], name, kind, klass, edns, version, dnssec, size)


def _labels(packet: bytes, place: int) -> tuple[list[bytes], int]:
    labels: list[bytes] = []
    start = place
    while True:
        if place >= len(packet):
            raise FormatError("a name ends early")
        length = packet[place]
        if length > 63 or place - start > 254:
            raise FormatError("a compressed or too long name in a question")
        place += 1
        if not length:
            return labels, place
        labels.append(packet[place : place + length])
        place += length


def skip_name(packet: bytes, place: int) -> int:
    """The place behind a name, compressed or not."""
    while place < len(packet):
        length = packet[place]
        if length >= 0xC0:
            return place + 2
        if length > 63:
            break
        place += 1 + length
        if not length:
            return place
    raise FormatError("a name ends early")


def _record(packet: bytes, place: int) -> tuple[int, int, int, int]:
    """Type, class, time to live and length of the record whose name ends at `place`."""
    if len(packet) < place + 10:
        raise FormatError("a record ends early")
    type_, klass, ttl, length = struct.unpack_from("!HHIH", packet, place)
    if len(packet) < place + 10 + length:
        raise FormatError("a record ends early")
    return type_, klass, ttl, length


@dataclass(frozen=True, slots=True)
class Times:
    """Where the times to live stand in an answer, and for how long it may be kept."""

    places: tuple[int, ...]
    keep: int


def addresses(packet: bytes) -> list[tuple[int, int, bytes]]:
    """The address records of an answer, whatever names they stand under: type, time to live and address."""
    if len(packet) < HEADER:
        raise FormatError("the answer ends early")
    questions, answers = struct.unpack_from("!2H", packet, 4)
    place = HEADER
    for _ in range(questions):
        place = skip_name(packet, place) + 4
    found: list[tuple[int, int, bytes]] = []
    for _ in range(answers):
        place = skip_name(packet, place)
        type_, _klass, ttl, length = _record(packet, place)
        place += 10 + length
        if length == ADDRESS_LENGTHS.get(type_):
            found.append((type_, ttl, packet[place - length : place]))
    return found


def times(packet: bytes) -> Times:
    """Find every time to live of an answer. Without any, it may not be kept."""
    if len(packet) < HEADER:
        raise FormatError("the answer ends early")
    questions, *counts = struct.unpack_from("!4H", packet, 4)
    place = HEADER
    for _ in range(questions):
        place = skip_name(packet, place) + 4
    places: list[int] = []
    keep = 1 << 31
    for _ in range(sum(counts)):
        name_end = skip_name(packet, place)
        type_, _klass, ttl, length = _record(packet, name_end)
        if type_ != _OPT:
            places.append(name_end + 4)
            keep = min(keep, ttl)
        place = name_end + 10 + length
    return Times(tuple(places), keep if places else 0)


def reply(packet: bytes, query: Query) -> bytes:
    """An answer kept from another asker, made out to this one: his id, his RD bit, his letters."""
    flags = (packet[2] & 0xFE) | (query.flags >> 8 & 1)
    return query.id.to_bytes(2, "big") + bytes((flags,)) + packet[3:HEADER] + query.question + packet[
        HEADER + len(query.question) :
    ]  # fmt: skip


def fit(packet: bytes, query: Query, *, stream: bool) -> bytes:
    """The answer if the asker's transport takes it, else its head with the truncation bit (RFC 2181, 9)."""
    if stream or len(packet) <= query.size:
        return packet
    flags = int.from_bytes(packet[2:4], "big") | TC
    head = packet[:2] + struct.pack("!5H", flags, 1, 0, 0, 1 if query.edns else 0)
    return head + query.question + (opt() if query.edns else b"")


def opt(extended: int = 0) -> bytes:
    """Our EDNS record."""
    return struct.pack("!BHHIH", 0, _OPT, BEST_UDP, extended << 24, 0)


def failure(packet: bytes, code: int) -> bytes:
    """An answer without anything but the code, to a packet of which only the header can be trusted."""
    flags = QR | (int.from_bytes(packet[2:4], "big") & (0x7800 | RD)) | code
    return packet[:2] + struct.pack("!5H", flags, 0, 0, 0, 0)


def refusal(query: Query, code: int) -> bytes:
    """An answer without records to a question that was read."""
    flags = QR | RA | (query.flags & (0x7800 | RD)) | (code & 0xF)
    head = struct.pack("!6H", query.id, flags, 1, 0, 0, 1 if query.edns else 0)
    return head + query.question + (opt(code >> 4) if query.edns else b"")
