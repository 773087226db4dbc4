import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.codec.protobuf.wire import entries, field, read_varint, tag, varint
from pilothouse.api.machinery.codec.syntax import MalformedError


@given(st.integers(-(2**63), 2**64 - 1))
def test_numbers_come_back(number: int) -> None:
    written = varint(number)
    assert read_varint(written, 0) == (number % 2**64, len(written))
    assert len(written) == (10 if number < 0 or number >= 2**63 else max(1, -(-number.bit_length() // 7)))


def test_entries() -> None:
    data = tag(1, 0) + varint(300) + field(2, b"text") + tag(3, 1) + bytes(8) + tag(4, 5) + bytes(4)
    assert list(entries(data)) == [(1, 0, 300), (2, 2, b"text"), (3, 1, bytes(8)), (4, 5, bytes(4))]


def test_groups_are_passed_over() -> None:
    inner = tag(7, 3) + field(1, b"x") + tag(7, 4)
    assert list(entries(tag(5, 3) + inner + tag(5, 4) + field(2, b"y"))) == [(2, 2, b"y")]


@pytest.mark.parametrize("data", [b"\x0a\x05abc", b"\x09abc", b"\x0d", b"\x80", b"\x0a" + b"\xff" * 8 + b"\x7f"])
def test_what_ends_too_soon(data: bytes) -> None:
    with pytest.raises(MalformedError, match="unexpected EOF"):
        list(entries(data))
