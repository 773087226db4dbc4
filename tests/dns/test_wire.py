"""Reading messages by hand."""

import dnslib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.dns.wire import FormatError, parse_query, skip_name, times

QUESTION = bytes(dnslib.DNSRecord.question("Web.NS").pack())


def test_question() -> None:
    query = parse_query(QUESTION)
    assert query is not None
    assert (query.name, query.type, query.klass, query.edns, query.size) == ("web.ns", 1, 1, False, 512)
    assert query.question == b"\x03Web\x02NS\0\0\1\0\1"


@pytest.mark.parametrize(("offered", "taken"), [(100, 512), (1000, 1000), (4096, 1232)])
def test_size(offered: int, taken: int) -> None:
    asked = dnslib.DNSRecord.question("a.b")
    asked.add_ar(dnslib.EDNS0(flags="do", udp_len=offered))
    query = parse_query(bytes(asked.pack()))
    assert query is not None
    assert (query.size, query.edns, query.dnssec) == (taken, True, True)


@pytest.mark.parametrize(
    "packet",
    [
        QUESTION[:4] + b"\0\2" + QUESTION[6:],
        QUESTION[:6] + b"\0\1" + QUESTION[8:],
        QUESTION[:10] + b"\0\1" + QUESTION[12:],
        QUESTION[:12] + b"\xc0\x0c\0\1\0\1",
        QUESTION[:12] + b"\x01a" * 130 + b"\0\0\1\0\1",
        QUESTION[:-1],
    ],
)
def test_malformed(packet: bytes) -> None:
    with pytest.raises(FormatError):
        parse_query(packet)


def test_dot_inside_a_label_is_no_separator() -> None:
    query = parse_query(QUESTION[:12] + b"\x03a.b\0\0\1\0\1")
    assert query is not None
    assert query.name == "a\\.b"


def test_times_are_found_behind_compressed_names() -> None:
    answer = dnslib.DNSRecord.question("a.b").reply()
    for ttl in (30, 20):
        answer.add_answer(dnslib.RR("a.b", ttl=ttl, rdata=dnslib.A("192.0.2.1")))
    answer.add_ar(dnslib.EDNS0())
    packet = bytes(answer.pack())
    found = times(packet)
    assert [int.from_bytes(packet[p : p + 4], "big") for p in found.places] == [30, 20]
    assert found.keep == 20


@given(st.binary(max_size=60))
def test_only_format_errors(noise: bytes) -> None:
    for read in (times, parse_query, lambda packet: skip_name(packet, 0)):
        try:
            read(noise)
        except FormatError:
            continue
