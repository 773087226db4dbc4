"""Trees of fields as sets: their algebra against a model of paths."""

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pilothouse.api.machinery.managed_fields import fields as module
from pilothouse.api.machinery.managed_fields.fields import (
    Fields,
    difference,
    in_order,
    intersection,
    item_key,
    path_text,
    read_fields,
    union,
    union_of,
    value_key,
    with_self,
    without,
)
from pilothouse.api.machinery.managed_fields.fields import paths as members

Path = tuple[str, ...]
calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be busy."""
_steps = st.sampled_from(["f:a", "f:b", "f:c", 'k:{"name":"x"}', 'v:"y"', "v:2"])
_paths = st.sets(st.lists(_steps, min_size=1, max_size=3).map(tuple), max_size=6)


def tree(paths: set[Path]) -> Fields:
    root: Fields = {}
    for path in paths:
        node = root
        for step in path:
            node = node.setdefault(step, {})
        node["."] = {}
    return in_order({key: tidy(node) for key, node in root.items()})


def tidy(node: Fields) -> Fields:
    if set(node) == {"."}:
        return {}
    return in_order({key: child if key == "." else tidy(child) for key, child in node.items()})


def paths(fields: Fields, above: Path = ()) -> set[Path]:
    found: set[Path] = set()
    for key, node in fields.items():
        if key == ".":
            found.add(above)
            continue
        here = (*above, key)
        found |= {here} if not node else paths(node, here)
    return found


@calm
@given(_paths)
def test_trees_are_sets(some: set[Path]) -> None:
    assert paths(tree(some)) == some
    assert read_fields(tree(some)) == tree(some)


@calm
@given(_paths, _paths)
def test_union(one: set[Path], other: set[Path]) -> None:
    first, second = tree(one), tree(other)
    before = orjson.dumps([first, second])
    joined = union(first, second)
    assert paths(joined) == one | other
    assert orjson.dumps(joined) == orjson.dumps(tree(one | other))
    assert orjson.dumps([first, second]) == before
    if other <= one:
        assert joined is first


@calm
@given(st.lists(_paths, max_size=5))
def test_union_of_many(sets: list[set[Path]]) -> None:
    assert orjson.dumps(union_of([tree(one) for one in sets])) == orjson.dumps(tree(set().union(*sets)))


def test_many_sets_are_joined_without_each_paying_for_all_before(monkeypatch: pytest.MonkeyPatch) -> None:
    ordered: list[int] = []

    def counted(node: Fields) -> Fields:
        ordered.append(len(node))
        return node

    monkeypatch.setattr(module, "in_order", counted)
    union_of([{f"f:{number}": {}} for number in range(1024)])
    assert sum(ordered) == 1024 * 10, "each is looked at as often as the number can be halved"


class Counted(dict[str, Any]):
    """A set that counts how often it is asked."""

    asked = 0

    def get(self, key: str, default: Any = None) -> Any:
        self.asked += 1
        return super().get(key, default)


def test_a_large_change_costs_a_small_entry_little() -> None:
    large = Counted({f"f:{number}": {} for number in range(10_000)})
    assert difference({"f:7": {}, "f:x": {}}, large) == {"f:x": {}}
    assert large.asked == 2


@calm
@given(_paths, _paths)
@example({("f:a",), ("f:a", "f:b")}, {("f:a", "f:b")})
def test_difference(one: set[Path], other: set[Path]) -> None:
    first, second = tree(one), tree(other)
    left = difference(first, second)
    assert paths(left) == one - other
    assert orjson.dumps(left) == orjson.dumps(tree(one - other))
    if not one & other:
        assert left is first


@calm
@given(_paths, _paths)
def test_intersection(one: set[Path], other: set[Path]) -> None:
    assert orjson.dumps(intersection(tree(one), tree(other))) == orjson.dumps(tree(one & other))


@calm
@given(_paths)
def test_sets_come_back_from_the_wire(some: set[Path]) -> None:
    back = read_fields(orjson.loads(orjson.dumps(tree(some))))
    assert orjson.dumps(back) == orjson.dumps(tree(some))
    assert set(members(back)) == some


def test_paths_in_order_and_in_words() -> None:
    fields = {
        "f:b": {".": {}, "f:c": {}},
        "f:a": {'k:{"port":80,"protocol":"TCP"}': {"f:x": {}}},
        'v:"y"': {},
        "i:3": {},
    }
    assert [path_text(path) for path in members(in_order(fields))] == [
        ".b", '[="y"]', "[3]", '.a[port=80,protocol="TCP"].x', ".b.c",
    ]  # fmt: skip


@calm
@given(_paths, _paths)
def test_without_goes_below(one: set[Path], other: set[Path]) -> None:
    left = without(tree(one), tree(other))
    below = {path for path in one if any(path[: len(top)] == top for top in other)}
    assert paths(left) == one - below


def test_the_order_of_the_wire() -> None:
    keys = ['v:"b"', 'v:"a"', "v:10", "v:9", "f:b", "f:a", ".", 'k:{"port":443}', 'k:{"port":80}', "i:10", "i:9"]
    assert list(in_order({key: {} for key in keys})) == [
        ".", "f:a", "f:b", 'k:{"port":80}', 'k:{"port":443}', "v:9", "v:10", 'v:"a"', 'v:"b"', "i:9", "i:10",
    ]  # fmt: skip


def test_steps() -> None:
    assert item_key({"protocol": "TCP", "containerPort": 80}) == 'k:{"containerPort":80,"protocol":"TCP"}'
    assert value_key("a") == 'v:"a"'
    assert with_self({"f:a": {}}) == {".": {}, "f:a": {}}
    assert with_self({}) == {}


def test_reading_what_clients_send() -> None:
    sent: Fields = {'k:{"b": 1, "a": 2}': {"f:x": {}, ".": {}}, "f:a": {}, "z:future": {}}
    assert orjson.dumps(read_fields(sent)) == orjson.dumps({"f:a": {}, 'k:{"a":2,"b":1}': {".": {}, "f:x": {}}})


@pytest.mark.parametrize("sent", [[], "x", {"k:1": {}}, {"v:": {}}, {"i:x": {}}, {"f:a": []}])
def test_what_is_no_set(sent: Any) -> None:
    with pytest.raises(ValueError):
        read_fields(sent)
