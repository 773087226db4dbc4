"""What expressions may cost, reckoned beforehand: upstream's numbers.

Source: checker/cost_test.go of google/cel-go; apiserver/pkg/cel/library/cost.go for Kubernetes' functions.
"""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.cel_expressions import cost_of, environment
from pilothouse.api.machinery.cel.estimate import estimate
from pilothouse.api.machinery.cel.program import compile_expression
from pilothouse.api.machinery.cel.ranges import MOST, Range
from pilothouse.api.machinery.cel.types import BYTES, DYN, INT, STRING, CelType, list_of, map_of, object_of

THING = object_of("thing", {"n": INT, "s": STRING})
TYPES: dict[str, CelType] = {
    "text": STRING,
    "other": STRING,
    "raw": BYTES,
    "thing": THING,
    "texts": list_of(STRING),
    "numbers": list_of(INT),
    "more": list_of(INT),
    "things": list_of(THING),
    "nested": list_of(list_of(THING)),
    "strings": map_of(STRING, STRING),
    "by_name": map_of(STRING, THING),
    "maps": map_of(STRING, map_of(STRING, THING)),
    "x": INT,
    "any": DYN,
}


SHADOWED = {"maps": 2, "maps.@values": 2, "maps.@keys": 5}


def estimated(text: str, hints: Mapping[str, int] | None = None) -> tuple[int, int]:
    """Lowest and highest, where `hints` says how large at most what stands at a path is."""
    known = hints or {}

    def sizes(path: tuple[str, ...], _type: CelType) -> Range | None:
        most = known.get(".".join(path))
        return None if most is None else Range(0, most)

    found = estimate(compile_expression(text, environment(TYPES)), sizes)
    return found.low, found.high


@pytest.mark.parametrize(
    ("text", "hints", "cost"),
    [
        ("'Hello World!'", {}, (0, 0)),
        ("numbers", {}, (1, 1)),
        ("strings['key']", {}, (2, 2)),
        ("thing.n", {}, (2, 2)),
        ("has(thing.n)", {}, (1, 1)),
        ("[1, 2, 3]", {}, (10, 10)),
        ("Object{a: 1}", {}, (40, 40)),
        ("{'a': 1, 'b': 2, 'c': 3}", {}, (30, 30)),
        ("things.all(y, true)", {"things": 100}, (2, 302)),
        ("nested.all(y, y.all(z, true))", {"nested": 50, "nested.@items": 10}, (2, 1752)),
        ("[1, 2, 3].all(y, true)", {}, (20, 20)),
        ("text.matches('[0-9]')", {"text": 500}, (3, 103)),
        ("'123'.matches('[0-9]')", {}, (2, 2)),
        ("true || false", {}, (0, 0)),
        ("1 < 2", {}, (1, 1)),
        ("1 == 2", {}, (1, 1)),
        ("2 in [1, 2, 3]", {}, (13, 13)),
        ("true ? 1 : 2", {}, (0, 0)),
        ("size('123')", {}, (1, 1)),
        ("string(raw)", {"raw": 500}, (1, 51)),
        ("bytes(text)", {"text": 500}, (1, 51)),
        ("text.contains(other)", {"text": 500, "other": 500}, (2, 2502)),
        ("text.startsWith(other)", {"other": 500}, (2, 52)),
        ("text.size()", {}, (2, 2)),
        ("(x > 2 ? things : things).all(y, true)", {"things": 1}, (4, 7)),
        ("by_name.all(k, by_name[k].n > 3)", {"by_name": 10}, (2, 82)),
        ("maps.all(k, maps[k].all(y, true))", {"maps": 5, "maps.@values": 10}, (2, 187)),
        ("maps.all(k, k.contains(k))", {"maps": 5, "maps.@keys": 10}, (2, 32)),
        ("maps.all(k, maps[k].all(k, true) && k.contains(k))", SHADOWED, (2, 34)),
        ("(numbers + more).all(y, true)", {"numbers": 10, "more": 10}, (4, 64)),
        ("'abcdefg'.contains(text + other)", {"text": 10, "other": 10}, (2, 6)),
    ],
)  # fmt: skip
def test_upstreams_numbers(text: str, hints: dict[str, int], cost: tuple[int, int]) -> None:
    assert estimated(text, hints) == cost


@pytest.mark.parametrize(
    ("text", "hints", "cost"),
    [
        ("things.all(y, true)", {}, (2, MOST)),
        ("url(text).getHost()", {"text": 100}, (2, 12)),
        ("texts.isSorted()", {"texts": 10, "texts.@items": 20}, (1, 31)),
        ("numbers.sum()", {"numbers": 10}, (1, 11)),
        ("text.indexOf('a')", {"text": 100}, (1, 11)),
        ("text.lowerAscii().matches('a')", {"text": 99}, (2, 21)),
        ("text.replace('a', 'bb').contains('c')", {"text": 10}, (1, 5)),
        ("text.replace('', 'b').contains('c')", {"text": 9}, (2, 5)),
        ("text.split(',').all(y, true)", {"text": 10}, (2, 34)),
        ("texts.join(',').contains('c')", {"texts": 3, "texts.@items": 6}, (1, 5)),
        ("text.find('a') == 'b'", {"text": 9}, (3, 3)),
        ("cidr('10.0.0.0/8').containsIP(text)", {"text": 20}, (3, 8)),
        ("sets.contains(numbers, more)", {"numbers": 3, "more": 4}, (3, 15)),
        ("any.a.b", {}, (1, 1)),
        ("dyn(text).size()", {"text": 5}, (3, 3)),
        ("cel.bind(y, numbers, y.all(z, true))", {"numbers": 10}, (13, 43)),
        ("numbers.map(n, n + 1).all(y, true)", {"numbers": 2}, (13, 47)),
        ("texts.map(t, t).all(t, t.contains('a'))", {"texts": 2, "texts.@items": 10}, (13, 49)),
    ],
)
def test_by_the_same_rules(text: str, hints: dict[str, int], cost: tuple[int, int]) -> None:
    """*Assumed* from the rules, worked out by hand."""
    assert estimated(text, hints) == cost


@pytest.mark.parametrize(
    "text",
    [
        "texts.all(t, t.startsWith('a') && t.size() < 5)",
        "texts.exists(t, t.contains('b'))",
        "texts.map(t, t + 'x').filter(t, t.matches('a+')).size() > 0",
        "numbers.exists_one(n, n % 2 == 0)",
        "texts.all(t, t.split('a').size() < 9 && t.upperAscii() != t.replace('a', 'bb'))",
        "numbers.map(n, [n, n]).all(p, p.all(q, q > 0))",
    ],
)
@given(texts=st.lists(st.text("ab", max_size=10), max_size=5), numbers=st.lists(st.integers(0, 9), max_size=5))
def test_no_call_costs_more_than_was_reckoned(text: str, texts: list[str], numbers: list[int]) -> None:
    _, most = estimated(text, {"texts": 5, "texts.@items": 10, "numbers": 5})
    assert cost_of(text, TYPES, texts=texts, numbers=numbers) <= most
