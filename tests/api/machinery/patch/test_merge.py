"""JSON merge patch: the cases of RFC 7386 and its laws."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.errors import BadRequest
from pilothouse.api.machinery.patch.merge import apply_merge_patch, merge_patch_between, without_nulls


@pytest.mark.parametrize(
    ("doc", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": 1}, {"a": {"b": None, "c": [{"d": None}]}}, {"a": {"c": [{}]}}),
    ],
)
def test_cases(doc: Any, patch: Any, result: Any) -> None:
    assert apply_merge_patch(doc, patch) == result


@pytest.mark.parametrize(
    ("patch", "what"), [([], "array"), ("x", "string"), (1, "number"), (True, "bool"), (None, "null")]
)
def test_only_objects_are_patches(patch: Any, what: str) -> None:
    with pytest.raises(BadRequest, match=f"^error decoding patch: json: cannot unmarshal {what} into Go value of type"):
        apply_merge_patch({}, patch)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from("xy"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
_objects = st.dictionaries(st.sampled_from("abcd"), _json, max_size=4)


@given(_objects, _objects)
def test_twice_is_once(doc: Any, patch: Any) -> None:
    once = apply_merge_patch(doc, patch)
    assert apply_merge_patch(once, patch) == once


@given(_objects, _objects)
def test_inputs_stay(doc: Any, patch: Any) -> None:
    before = orjson.dumps([doc, patch])
    apply_merge_patch(doc, patch)
    assert orjson.dumps([doc, patch]) == before


@given(_objects.map(without_nulls), _objects.map(without_nulls))
def test_a_difference_leads_there(old: Any, new: Any) -> None:
    assert apply_merge_patch(old, merge_patch_between(old, new)) == new


@given(_objects)
def test_nothing_makes_an_object_into_itself(doc: Any) -> None:
    assert merge_patch_between(doc, doc) == {}


@given(_objects)
def test_the_empty_patch_changes_nothing(doc: Any) -> None:
    result = apply_merge_patch(doc, {})
    assert result == doc
    assert result is not doc
