"""What goes in and comes out, next to Go's encoding/json."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.codec.json import decode, encode
from pilothouse.api.machinery.codec.pairs import Pairs
from pilothouse.api.machinery.codec.syntax import MAX_DEPTH, MalformedError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # what Go reads into an interface with whole numbers preserved
        ("1", 1),
        ("-0", 0),
        ("1.0", 1.0),
        ("1e3", 1000.0),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("18446744073709551616", 2.0**64),
        ("-9223372036854775809", -(2.0**63)),
        ("111111111111111111111111111111", 1.1111111111111111e29),
        ("0.1", 0.1),
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert decode(text.encode()) == value
    assert type(decode(text.encode())) is type(value)


def test_a_number_beyond_floats_is_refused() -> None:
    with pytest.raises(MalformedError, match="cannot unmarshal number 1e400 into Go value of type float64"):
        decode(b'{"a":1e400}')


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'"\\u00e9\\ud83d\\ude00"', "é😀"),
        (b'"a\xffb"', "a\ufffdb"),
        (b'{"\xff":"\\ud800x"}', {"\ufffd": "\ufffdx"}),
    ],
)
def test_broken_text_is_replaced(body: bytes, value: Any) -> None:
    assert decode(body) == value


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":}', b"\xff"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedError):
        decode(body)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_limited(opening: str, closing: str) -> None:
    def nested(depth: int) -> bytes:
        return (opening * depth + "1" + closing * depth).encode()

    assert encode(decode(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    for depth in (MAX_DEPTH + 1, 1000, 2000, 100_000):
        with pytest.raises(MalformedError, match="exceeded max depth"):
            decode(nested(depth))


def test_many_shallow_objects_are_not_deep() -> None:
    assert len(decode(b"[" + b",".join([b"{}"] * 500) + b"]")) == 500


@pytest.mark.parametrize("body", [b'{"a":1}', b'{"a":1}\n', b'{ "a": 1, "b": {"a": "\\u003c"} }'])
def test_without_duplicates_objects_are_plain(body: bytes) -> None:
    assert type(decode(body, duplicates=True)) is dict


@pytest.mark.parametrize(
    "body", [b'{"a":1,"a":1}', b'{"b":{},"a":[{"c":1,"c":2}]}', b'{"a":{"a":1,"\\u0061":2}}', b'{"a":"\xff","a":1}']
)
def test_duplicates_are_found(body: bytes) -> None:
    found = decode(body, duplicates=True)
    assert type(found) is Pairs
    assert orjson.loads(orjson.dumps(found)) == decode(body)


documents: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.sampled_from(["", "é", '"', "\n"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)


@given(documents)
def test_round_trip(value: Any) -> None:
    assert decode(encode(value), duplicates=True) == value
