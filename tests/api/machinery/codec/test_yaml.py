"""YAML as go-yaml and sigs.k8s.io/yaml understand it. Line numbers of parser errors are assumed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.codec.syntax import MAX_DEPTH, MalformedError
from pilothouse.api.machinery.codec.yaml import decode, encode


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30", "12:30"),
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        ("y", True), ("Off", False), ("yes", True), ("'yes'", "yes"), ('"1"', "1"),
        ("~", None), ("", None), ("Null", None),
        ("1", 1), ("-1", -1), ("+1", 1), ("0777", 511), ("0o17", 15), ("0x1F", 31), ("0b101", 5), ("1_000", 1000),
        ("08", 8), ("1.0", 1), ("1.5", 1.5), ("1e3", 1000), ("1.", 1), (".5", 0.5), ("1e", "1e"), ("-", None),
        ("18446744073709551615", 2**64 - 1), ("1.2.3", "1.2.3"), ("0x", "0x"), ("v1", "v1"),
        ("!!str 5", "5"), ("!!int 5", 5), ("!!binary aGk=", "hi"), ("!!binary |\n  aGVs\n  bG8=\n", "hello"),
        ("!Custom x", "x"),
        ("|\n    a\n    b\n", "a\nb\n"), (">\n    a\n    b\n", "a b\n"),
    ],
)  # fmt: skip
def test_scalars(text: str, value: Any) -> None:
    wanted = [None] if text == "-" else value
    found, repeated = decode(f"a: {text}".encode() if text != "-" else b"a:\n -")
    assert found == {"a": wanted}
    assert type(found["a"]) is type(wanted)
    assert repeated == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1: a", {"1": "a"}), ("true: a", {"true": "a"}), ("1.5: a", {"1.5": "a"}), ("yes: a", {"true": "a"}),
        ("b: 1\na: 2", {"a": 2, "b": 1}),
        ("x: &x {b: 1, c: 2}\nz: {<<: *x, c: 3}", {"x": {"b": 1, "c": 2}, "z": {"b": 1, "c": 3}}),
        ("x: &x [1]\nz: *x", {"x": [1], "z": [1]}),
        ("y: 1", {"true": 1}),
        ("%YAML 1.1\n---\na: 1\n...\n", {"a": 1}),
        ('{"a": [1, {"b": null}]}', {"a": [1, {"b": None}]}),
        ("# nothing", None),
    ],
)  # fmt: skip
def test_documents(text: str, value: Any) -> None:
    assert decode(text.encode())[0] == value


def test_aliases_are_copies() -> None:
    found, _ = decode(b"a: &a {b: []}\nc: *a")
    found["a"]["b"].append(1)
    assert found["c"] == {"b": []}


def test_repeated_keys_are_named_with_their_lines() -> None:
    found, repeated = decode(b"a: 1\nb:\n- c: 1\n  c: 2\na: 3\n")
    assert found == {"a": 3, "b": [{"c": 2}]}
    assert repeated == ['line 4: key "c" already set in map', 'line 5: key "a" already set in map']


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: *b", "yaml: unknown anchor 'b' referenced"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("a: 1\nb: c: d", "yaml: line 2: mapping values are not allowed in this context"),
        ("a:\n  - b\n c: d", "yaml: line 2: did not find expected key"),
        ("a: .nan", "json: unsupported value: NaN"),
        ("a: [-.inf]", "json: unsupported value: -Inf"),
        ("? [a]\n: 1", "Unsupported map key of type"),
        ("a: !!int x", "cannot decode !!str `x` as a !!int"),
        ("a: !!binary x", "yaml: !!binary value contains invalid base64 data"),
        ("a:\n\t- b", "found character that cannot start any token"),
        ("a: {<<: 5}", "map merge requires map or sequence of maps as the value"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "exceeded max depth"),
    ],
)  # fmt: skip
def test_refusals(text: str, words: str) -> None:
    with pytest.raises(MalformedError) as caught:
        decode(text.encode())
    assert words in str(caught.value)


def test_invalid_utf8_is_refused() -> None:
    with pytest.raises(MalformedError, match="yaml: "):
        decode(b"a: \xff")


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"{name}: &{name} [{','.join(['*' + of] * 10)}]" for of, name in zip("abcdefgh", "bcdefghi", strict=True)]
    with pytest.raises(MalformedError, match="document contains excessive aliasing"):
        decode("\n".join(lines).encode())


def test_encoding() -> None:
    value = {"b": [{"x": 1, "y": "yes"}, []], "a": "1e3", "c": "a\nb\n", "d": None, "e": 1.5, "f": "é", "g": "0o7"}
    assert encode(value).decode() == (
        'a: "1e3"\nb:\n- x: 1\n  "y": "yes"\n- []\nc: |\n  a\n  b\nd: null\ne: 1.5\nf: é\ng: "0o7"\n'
    )


texts = st.sampled_from(
    ["", "y", "1e3", "0x1", "12:30", "null", " a", "a\n", "\na", "a\n\n b", "- a", "a: b", "é", "<<", "#"]
)
documents: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(documents)
def test_round_trip(value: Any) -> None:
    assert decode(encode(value)) == (value, [])
