"""Decoding in pieces: what orjson makes of the whole, whatever the size of the pieces, and in no long call."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.codec import json, pieces
from pilothouse.api.machinery.codec.syntax import MalformedError

_texts = st.text(alphabet='ab"\\{}[],: \u00e9\n', max_size=5)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(allow_nan=False, allow_infinity=False) | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=20,
)
_sizes = st.sampled_from([1, 2, 5, 10, 50])


def outcome(load: Any, body: bytes, *more: int) -> bytes:
    try:
        return orjson.dumps(load(body, *more))
    except orjson.JSONDecodeError:
        return b"refused"


@given(_json, _sizes, st.sampled_from([0, orjson.OPT_INDENT_2]))
def test_the_value_is_that_of_the_whole(value: Any, size: int, option: int) -> None:
    body = orjson.dumps(value, option=option)
    assert outcome(pieces.loads, body, size) == orjson.dumps(value)


@given(_json, _sizes, st.data())
def test_what_is_refused_whole_is_refused_in_pieces(value: Any, size: int, data: st.DataObject) -> None:
    """A few bytes are taken away, doubled, or put in: most of what comes of it is no JSON, and some is."""
    body = bytearray(orjson.dumps(value))
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 1))] = data.draw(
            st.sampled_from([b"", b",", b"[", b"]", b"{", b"}", b'"', b":", b" ", b"\\", b"1", b'"a":1', b"[],"])
        )
    assert outcome(pieces.loads, bytes(body), size) == outcome(orjson.loads, bytes(body))


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"1", b'"a"', b"[]", b" [ ] ", b"{}", b"[,]", b"[1,,2]", b"[1,]", b"[,1]", b'{"a":1,}', b"[[]]",
        b"[[],]", b"[[]1]", b"[[][]]", b'{"a":[]"b":1}', b'{"a":[] 1}', b"{[]}", b'{"a"[]}', b"{1:[]}", b"[}", b"{]",
        b"[1]]", b"x[1]", b"[1]x", b'["a]', b'{"a":{"b":[1,2,{"c":3}]},"a":1}', b"[\\]", b'{"a":1,"a":2,"b":[],"a":3}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 3, 100])
def test_cases(body: bytes, size: int) -> None:
    assert outcome(pieces.loads, body, size) == outcome(orjson.loads, body)


def test_no_call_decodes_more_than_a_piece_unless_it_is_one_value(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = orjson.loads

    def counted(text: bytes) -> Any:
        sizes.append(len(text))
        return real(text)

    item = {"name": "a", "env": [{"name": "b", "value": "c"}], "text": "d" * 100}
    bodies: list[Any] = [
        {"kind": "List", "items": [item] * 4000},
        {"data": {f"key-{number}": "v" * 10 for number in range(25_000)}},
        {"a": {"b": {"c": [[number] for number in range(100_000)]}}, "d": 1},
    ]
    for value in bodies:
        body = orjson.dumps(value)
        assert len(body) > pieces.LONG
        sizes.clear()
        with monkeypatch.context() as patch:
            patch.setattr(orjson, "loads", counted)
            found = json.decode(body)
        assert found == value
        assert max(sizes) < 20_000
        assert len(sizes) < 2 * len(body) // 16_000 + 10


def test_what_is_deep_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "LONG", 1000)
    for body in (b"[" * 6000, b"[" * 3000 + b"]" * 3000, b'{"a":' * 2000):
        with pytest.raises(MalformedError):
            json.decode(body)
