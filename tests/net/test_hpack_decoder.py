"""HPACK against the `hpack` library: what it writes, and what it makes of anything else."""

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.net.hpack_decoder import TABLE_SIZE, Field, HpackDecoder, HpackError, TooLarge

NAMES = st.sampled_from([b":method", b":path", b"accept", b"x-a", b"authorization", b"x" * 200])
VALUES = st.one_of(st.sampled_from([b"GET", b"/", b"", b"v" * 900]), st.binary(max_size=60))
HEADS = st.lists(st.lists(st.tuples(NAMES, VALUES, st.booleans()), max_size=12), max_size=12)


@given(HEADS, st.booleans(), st.lists(st.integers(0, TABLE_SIZE), max_size=3))
def test_what_the_library_writes(heads: list[list[tuple[bytes, bytes, bool]]], huffman: bool, sizes: list[int]) -> None:
    encoder, decoder = hpack.Encoder(), HpackDecoder(1 << 20)
    for number, head in enumerate(heads):
        if number < len(sizes):
            encoder.header_table_size = sizes[number]
        assert decoder.decode(encoder.encode(head, huffman=huffman)) == [(name, value) for name, value, _ in head]


PIECES = [
    b"\x82", b"\xbe", b"\xbf", b"\x40\x01a\x01b", b"\x44\x81\x63", b"\x04\x01/", b"\x10\x01x\x00", b"\x3f\xe1\x1f",
    b"\x3f\xe2\x1f", b"\x20", b"\x41\x7f\x01" + b"x" * 128, b"\x80", b"\xff\x80\x80",
]  # fmt: skip
BYTES = st.one_of(st.binary(max_size=30), st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))


@given(st.lists(BYTES, max_size=6))
def test_whatever_comes_is_read_as_the_library_reads_it(blocks: list[bytes]) -> None:
    theirs, ours = hpack.Decoder(max_header_list_size=1000), HpackDecoder(1000)
    for block in blocks:
        try:
            expected = [tuple(field) for field in theirs.decode(block, raw=True)]
        except hpack.HPACKError:
            with pytest.raises(HpackError):
                ours.decode(block)
            return
        assert ours.decode(block) == expected
        assert _table(ours) == list(theirs.header_table.dynamic_entries)


def _table(decoder: HpackDecoder) -> list[Field]:
    """The newest first."""
    return decoder._table[::-1]


def test_a_field_of_the_table_is_the_same_object_again() -> None:
    encoder, decoder = hpack.Encoder(), HpackDecoder(1000)
    first, again = (decoder.decode(encoder.encode([("x-a", "b")])) for _ in range(2))
    assert again[0] is first[0]


def test_a_small_block_that_means_much() -> None:
    decoder = HpackDecoder(1000)
    block = hpack.Encoder().encode([("a", "b" * 400)])
    decoder.decode(block)
    with pytest.raises(TooLarge):
        decoder.decode(b"\xbe" * 3)


@pytest.mark.parametrize(
    "block",
    [b"\x80", b"\xbe", b"\x40", b"\x40\x05ab", b"\x7f", b"\xff\xff\xff\xff\xff\xff\x01", b"\x82\x20", b"\x3f\xe2\x1f"],
    ids=["index 0", "no entry", "no name", "short name", "half a number", "long number", "late resize", "too large"],
)
def test_what_is_not_hpack(block: bytes) -> None:
    with pytest.raises(HpackError):
        HpackDecoder(1000).decode(block)
