"""JSON patch: RFC 6902, the differences of upstream's library, its error texts and limits."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.errors import BadRequest, Invalid, RequestEntityTooLarge
from pilothouse.api.machinery.patch.json import MOST_OPERATIONS, REJECTED, _Draft, apply_json_patch, unknown_members


def op(name: str, path: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"op": name, "path": path, "value": value, **more}


@pytest.mark.parametrize(
    ("doc", "operations", "result"),
    [
        ({"a": 1}, [], {"a": 1}),
        ({"a": 1}, [op("add", "/b", 2)], {"a": 1, "b": 2}),
        ({"a": 1}, [op("add", "/a", 2)], {"a": 2}),
        ({"a": [1, 3]}, [op("add", "/a/1", 2)], {"a": [1, 2, 3]}),
        ({"a": [1]}, [op("add", "/a/1", 2)], {"a": [1, 2]}),
        ({"a": [1]}, [op("add", "/a/-", 2)], {"a": [1, 2]}),
        ({"a": [1]}, [op("add", "/a/-1", 2)], {"a": [1, 2]}),
        ({"a": [1, 2]}, [op("remove", "/a/0")], {"a": [2]}),
        ({"a": [1, 2]}, [op("remove", "/a/-1")], {"a": [1]}),
        ({"a": 1, "b": 2}, [op("remove", "/a")], {"b": 2}),
        ({"a": 1}, [op("replace", "/a", {"b": None})], {"a": {"b": None}}),
        ({"a": 1}, [op("replace", "/new", 2)], {"a": 1, "new": 2}),  # the library, not the RFC
        ({"a": [1]}, [op("replace", "/a/0", 2)], {"a": [2]}),
        ({"a": 1}, [op("replace", "", {"b": 1})], {"b": 1}),
        ({"a": {"b": 1}, "c": {}}, [op("move", "/c/d", **{"from": "/a/b"})], {"a": {}, "c": {"d": 1}}),
        ({"a": [1, 2]}, [op("move", "/a/0", **{"from": "/a/1"})], {"a": [2, 1]}),
        ({"a": {"b": 1}}, [op("copy", "/c", **{"from": "/a"}), op("add", "/c/b", 2)], {"a": {"b": 1}, "c": {"b": 2}}),
        ({"a": 1}, [op("copy", "/c", **{"from": "/x"})], {"a": 1, "c": None}),
        ({"a": {"b": [1, {"c": 1}]}}, [op("test", "/a", {"b": [1, {"c": 1}]})], {"a": {"b": [1, {"c": 1}]}}),
        ({"a": 1}, [op("test", "/b", None)], {"a": 1}),
        ({"a": 1}, [{"op": "test", "path": "/b"}], {"a": 1}),
        ({"a": 1}, [op("test", "", {"a": 1})], {"a": 1}),
        ({"a/b": 1, "m~n": 2}, [op("test", "/a~1b", 1), op("remove", "/m~0n")], {"a/b": 1}),
        ({"~1": 1}, [op("remove", "/~01")], {}),
        ({}, [op("add", "/", 1)], {"": 1}),
    ],
)  # fmt: skip
def test_operations(doc: Any, operations: list[Any], result: Any) -> None:
    before = orjson.dumps([doc, operations])
    assert apply_json_patch(doc, operations) == result
    assert orjson.dumps([doc, operations]) == before


@pytest.mark.parametrize(
    ("doc", "operation", "cause"),
    [
        ({}, op("add", "/a/b", 1), 'add operation does not apply: doc is missing path: "/a/b": missing value'),
        ({}, op("add", "", 1), 'add operation does not apply: doc is missing path: "": missing value'),
        ({"a": []}, op("add", "/a/1", 1), "Unable to access invalid index: 1: invalid index referenced"),
        ({"a": []}, op("add", "/a/x", 1), 'strconv.Atoi: parsing "x": invalid syntax'),
        ({"a": []}, op("remove", "/a/-"), 'strconv.Atoi: parsing "-": invalid syntax'),
        ({"a": 1}, op("add", "/a/b", 1), 'add operation does not apply: doc is missing path: "/a/b": missing value'),
        ({}, op("remove", "/a"),
         "error in remove for path: '/a': Unable to remove nonexistent key: a: missing value"),
        ({"a": []}, op("remove", "/a/0"), "Unable to access invalid index: 0: invalid index referenced"),
        ({"a": []}, op("replace", "/a/0", 1), "Unable to access invalid index: 0: invalid index referenced"),
        ({}, op("replace", "", 1), "replace operation value must be object or array"),
        ({"a": 1}, op("test", "/a", 2), "testing value /a failed: test failed"),
        ({"a": 1}, op("test", "/a", True), "testing value /a failed: test failed"),
        ({"a": 1}, op("test", "/a", None), "testing value /a failed: test failed"),
        ({"a": {"b": 1, "c": 2}}, op("test", "/a", {"b": 1}), "testing value /a failed: test failed"),
        ({"a": 1}, op("move", "/b"), "move operation failed to decode from: missing value"),
        ({}, {"op": "add", "value": 1}, "add operation failed to decode path: missing value"),
        ({}, op("spell", "/a"), "Unexpected kind: spell"),
        ({}, {}, "Unexpected kind: unknown"),
        ({}, op("replace", "", []), "the document is no longer an object"),
    ],
)  # fmt: skip
def test_failures_answer_422(doc: Any, operation: Any, cause: str) -> None:
    with pytest.raises(Invalid) as caught:
        apply_json_patch(doc, [operation])
    assert caught.value.message == REJECTED
    assert caught.value.code == 422
    assert str(caught.value.__cause__) == cause


@pytest.mark.parametrize(
    ("patch", "wrong"),
    [
        ({}, "object into Go value of type []handlers.jsonPatchOp"),
        ("x", "string into Go value of type []handlers.jsonPatchOp"),
        ([1], "number into Go value of type handlers.jsonPatchOp"),
        ([{"op": 1}], "number into Go struct field jsonPatchOp.op of type string"),
    ],
)
def test_no_patch_at_all(patch: Any, wrong: str) -> None:
    with pytest.raises(BadRequest) as caught:
        apply_json_patch({}, patch)
    assert caught.value.message == f"error decoding patch: json: cannot unmarshal {wrong}"


def test_too_many_operations() -> None:
    with pytest.raises(RequestEntityTooLarge) as caught:
        apply_json_patch({}, [op("add", "/a", 1)] * (MOST_OPERATIONS + 1))
    assert caught.value.message == (
        "Request entity is too large: The allowed maximum operations in a JSON patch is 10000, got 10001"
    )
    assert apply_json_patch({"a": []}, [op("add", "/a/-", 1)] * MOST_OPERATIONS) == {"a": [1] * MOST_OPERATIONS}


def test_copies_cannot_fill_the_memory() -> None:
    doubling = [op("copy", "/a/-", **{"from": "/a"})] * 40
    with pytest.raises(Invalid) as caught:
        apply_json_patch({"a": ["x" * 1000]}, doubling)
    assert str(caught.value.__cause__).endswith("exceeding the limit 3145728")


def test_copies_do_not_make_every_later_operation_copy_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand of them would each copy a map of a hundred thousand keys."""
    copied: list[int] = []
    own = _Draft.own

    def counted(draft: _Draft, container: Any) -> Any:
        made = own(draft, container)
        if made is not container:
            copied.append(len(container))
        return made

    monkeypatch.setattr(_Draft, "own", counted)
    doc = {"data": {f"k{number}": "v" for number in range(1000)}, "x": {"y": {"z": 1}}}
    patch = [op("copy", f"/data/{number}", **{"from": "/x"}) for number in range(100)]
    result = apply_json_patch(doc, [*patch, op("add", "/x/y/z", 2), op("add", "/data/0/y/z", 3)])
    assert sum(copied) < 1200
    assert [result["x"], result["data"]["0"], result["data"]["1"]] == [{"y": {"z": number}} for number in (2, 3, 1)]


def test_nothing_happens_when_one_fails() -> None:
    doc = {"a": {"b": 1}}
    with pytest.raises(Invalid):
        apply_json_patch(doc, [op("add", "/a/c", 1), op("test", "/a/b", 2)])
    assert doc == {"a": {"b": 1}}


def test_the_rest_is_shared() -> None:
    doc = {"a": {"b": 1}, "c": {"d": 2}}
    result = apply_json_patch(doc, [op("add", "/a/e", 1)])
    assert result["c"] is doc["c"]


def test_values_of_the_patch_are_not_changed() -> None:
    value: dict[str, list[int]] = {"x": []}
    result = apply_json_patch({}, [op("add", "/a", value), op("add", "/a/x/-", 1)])
    assert result == {"a": {"x": [1]}}
    assert value == {"x": []}


def test_strict_validation_names_unknown_members() -> None:
    assert unknown_members([op("add", "/a"), {"op": "add", "pth": 1}]) == ['json patch unknown field "[1].pth"']


# Laws.

_keys = st.sampled_from(["a", "b", "", "0", "-", "/", "~", "~1", "m~n/o"])
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["x", "1", 1.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=8,
)
_docs = st.dictionaries(_keys, _json, max_size=4)


def escaped(*keys: str) -> str:
    return "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in keys)


def difference(old: Any, new: Any, path: str = "") -> list[dict[str, Any]]:
    """Operations that lead from one value to another."""
    if orjson.dumps(old) == orjson.dumps(new):
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        gone = [op("remove", path + escaped(key)) for key in old if key not in new]
        come = [op("add", path + escaped(key), value) for key, value in new.items() if key not in old]
        both = [difference(old[key], new[key], path + escaped(key)) for key in old if key in new]
        return [*gone, *come, *(one for part in both for one in part)]
    if isinstance(old, list) and isinstance(new, list):
        shared = min(len(old), len(new))
        changed = [one for at in range(shared) for one in difference(old[at], new[at], f"{path}/{at}")]
        gone = [op("remove", f"{path}/{at}") for at in reversed(range(shared, len(old)))]
        return [*changed, *gone, *(op("add", f"{path}/-", value) for value in new[shared:])]
    return [op("replace", path, new)]


def places(value: Any, path: str = "") -> list[str]:
    """Where there is anything in a value, itself aside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [(path + escaped(str(key)), part) for key, part in inner]
    return [where for here, part in found for where in (here, *places(part, here))]


@given(_docs, _docs)
def test_a_difference_leads_there_and_back(old: Any, new: Any) -> None:
    before = orjson.dumps([old, new])
    there = apply_json_patch(old, difference(old, new))
    assert same(there, new)
    assert same(apply_json_patch(there, difference(new, old)), old)
    assert orjson.dumps([old, new]) == before, "what was given stays as it was"


def same(one: Any, other: Any) -> bool:
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)


@given(_docs, st.data())
def test_what_is_added_is_there_and_goes_without_a_trace(doc: Any, data: st.DataObject) -> None:
    containers = ["", *(path for path in places(doc) if isinstance(at_path(doc, path), dict | list))]
    container = data.draw(st.sampled_from(containers))
    within = at_path(doc, container)
    if isinstance(within, list):
        where = f"{container}/{data.draw(st.integers(0, len(within)))}"
    else:
        where = container + escaped(data.draw(_keys.filter(lambda key: key not in within)))
    value = data.draw(_json)
    assert same(apply_json_patch(doc, [op("add", where, value), op("test", where, value), op("remove", where)]), doc)


def at_path(value: Any, path: str) -> Any:
    for step in path.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


@given(_docs.filter(bool), st.data())
def test_move_is_remove_and_add_and_copy_is_add(doc: Any, data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(places(doc)))
    target = data.draw(st.sampled_from([*places(doc), escaped("new")]))
    value = at_path(doc, source)
    for short, plain in (
        (op("move", target, **{"from": source}), [op("remove", source), op("add", target, value)]),
        (op("copy", target, **{"from": source}), [op("add", target, value)]),
    ):
        assert outcome(doc, [short]) == outcome(doc, plain)


def outcome(doc: Any, operations: Any) -> bytes | str:
    try:
        return orjson.dumps(apply_json_patch(doc, operations), option=orjson.OPT_SORT_KEYS)
    except Invalid:
        return "refused"


@given(_docs, st.data())
def test_a_test_holds_for_what_is_there_alone(doc: Any, data: st.DataObject) -> None:
    for path in ("", *places(doc)):
        value, other = at_path(doc, path), data.draw(_json)
        assert apply_json_patch(doc, [op("test", path, value)]) == doc
        assert (outcome(doc, [op("test", path, other)]) != "refused") == same(value, other)


_paths = st.lists(_keys | st.sampled_from(["1", "-1", "99", "x"]), max_size=3).map(lambda keys: escaped(*keys)) | (
    st.sampled_from(["a", "/~2", "//", "/a//", "~"])
)
_operations = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": _paths},
        optional={"from": _paths, "value": _json},
    ),
    max_size=6,
)


@given(_docs, _operations)
def test_any_operations_give_an_object_or_are_refused_and_share_nothing_with_themselves(doc: Any, ops: Any) -> None:
    """One after the other, each on a copy, they come to the same: nothing is in two places, or left half done."""
    before = orjson.dumps([doc, ops])
    together = outcome(doc, ops)
    assert orjson.dumps([doc, ops]) == before
    one_by_one: bytes | str = orjson.dumps(doc, option=orjson.OPT_SORT_KEYS)
    for operation in ops:
        if isinstance(one_by_one, bytes):
            one_by_one = outcome(orjson.loads(one_by_one), [operation])
    if not any(operation["path"] == "" for operation in ops):  # what is no object on the way may become one again
        assert together == one_by_one
