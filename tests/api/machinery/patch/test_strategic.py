"""Strategic merge patch: the directives, the order of lists, and a simple model of merging lists.

The first table's schema is small and made here; the second uses the real schema of Pods and Services.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.errors import BadRequest, Invalid, StatusError
from pilothouse.api.machinery.patch.merge import without_nulls
from pilothouse.api.machinery.patch.strategic import apply_strategic_patch
from pilothouse.api.machinery.schema import Schema, Schemas


@dataclass
class Fake:
    """A schema node."""

    properties: dict[str, Any] = field(default_factory=dict)
    additional: Any = None
    items: Any = None
    patch_strategy: tuple[str, ...] = ()
    patch_merge_key: str = ""


ITEM = Fake({"value": Fake(), "tags": Fake(patch_strategy=("merge",)), "other": Fake()})
ITEM.properties["inner"] = Fake(items=ITEM, patch_strategy=("merge",), patch_merge_key="name")
ROOT = Fake({
    "list": Fake(items=ITEM, patch_strategy=("merge",), patch_merge_key="name"),
    "union": Fake({"type": Fake(), "a": Fake(), "b": Fake()}, patch_strategy=("retainKeys",)),
    "whole": Fake({"a": Fake()}, patch_strategy=("replace",)),
    "set": Fake(patch_strategy=("merge",)),
    "atoms": Fake(),
    "object": Fake({"a": Fake(), "b": Fake()}),
    "map": Fake(additional=ITEM),
})  # fmt: skip


def named(*names: str) -> list[dict[str, Any]]:
    return [{"name": name} for name in names]


@pytest.mark.parametrize(
    ("doc", "patch", "result"),
    [
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": None, "c": 3}, {"b": 2, "c": 3}),
        ({"object": {"a": 1}}, {"object": {"b": 2}}, {"object": {"a": 1, "b": 2}}),
        ({"object": {"a": 1}}, {"object": {"$patch": "replace", "b": 2}}, {"object": {"b": 2}}),
        ({"object": {"a": 1}}, {"object": {"$patch": "delete"}}, {"object": {}}),
        ({"a": 1}, {"$patch": "replace", "b": 2}, {"b": 2}),
        ({"whole": {"a": 1}}, {"whole": {"b": 2}}, {"whole": {"b": 2}}),
        ({"atoms": [1, 2]}, {"atoms": [3]}, {"atoms": [3]}),
        ({"object": {"a": 1}}, {"object": 5}, {"object": 5}),
        ({}, {"object": {"a": {"b": None, "$patch": "replace", "c": [{"$patch": "delete", "name": "x"}, {"d": None}]}}},
         {"object": {"a": {"c": [{}]}}}),
        ({}, {"list": [{"$patch": "delete", "name": "x"}, {"name": "y"}]}, {"list": named("y")}),
        # Lists with a key.
        ({"list": [{"name": "a", "value": 1, "other": 1}]}, {"list": [{"name": "a", "value": 2}]},
         {"list": [{"name": "a", "value": 2, "other": 1}]}),
        ({"list": named("a", "b")}, {"list": [{"name": "a", "$patch": "delete"}]}, {"list": named("b")}),
        ({"list": named("a", "b")}, {"list": [{"$patch": "replace"}, {"name": "c"}]}, {"list": named("c")}),
        ({"list": named("a")}, {"list": [{"$patch": "replace"}]}, {"list": []}),
        ({"list": named("a")}, {"list": []}, {"list": named("a")}),
        ({"list": named("a")}, {"list": None}, {}),
        ({"list": [{"name": "a", "inner": named("x")}]}, {"list": [{"name": "a", "inner": named("y")}]},
         {"list": [{"name": "a", "inner": named("y", "x")}]}),
        ({"map": {"k": {"inner": named("x")}}}, {"map": {"k": {"inner": [{"name": "x", "value": 1}]}}},
         {"map": {"k": {"inner": [{"name": "x", "value": 1}]}}}),
        # New items come as early as the patch allows; the document's order holds where it can.
        ({"list": named("1", "2", "3")}, {"list": named("3", "4")}, {"list": named("1", "2", "3", "4")}),
        ({"list": named("1", "2", "3")}, {"list": named("4", "3")}, {"list": named("4", "1", "2", "3")}),
        ({"list": named("1", "2", "3")}, {"list": named("3", "1")}, {"list": named("2", "3", "1")}),
        ({"list": named("1", "2", "3")}, {"$setElementOrder/list": named("3", "1", "2")},
         {"list": named("3", "1", "2")}),
        ({"list": named("1", "2", "3")}, {"$setElementOrder/list": named("3", "2")}, {"list": named("1", "3", "2")}),
        ({"list": named("1", "2")},
         {"$setElementOrder/list": named("2", "3", "1"), "list": [{"name": "3", "value": 1}]},
         {"list": [{"name": "2"}, {"name": "3", "value": 1}, {"name": "1"}]}),
        ({}, {"$setElementOrder/list": named("b", "a"), "list": named("b", "a")}, {"list": named("b", "a")}),
        ({}, {"$setElementOrder/list": named("a")}, {}),
        ({"list": named("a", "b")},
         {"$setElementOrder/list": named("b"), "list": [{"name": "a", "$patch": "delete"}]}, {"list": named("b")}),
        # Lists of plain values.
        ({"set": [1, 2]}, {"set": [2, 3]}, {"set": [1, 2, 3]}),
        ({"set": [1, 2, 3]}, {"$deleteFromPrimitiveList/set": [2, 9]}, {"set": [1, 3]}),
        ({"set": [1, 2]}, {"$deleteFromPrimitiveList/set": [1], "$setElementOrder/set": [4, 2], "set": [4]},
         {"set": [4, 2]}),
        ({"set": [1, 2, 3]}, {"$setElementOrder/set": [3, 1, 2]}, {"set": [3, 1, 2]}),
        ({}, {"$deleteFromPrimitiveList/set": [1]}, {}),
        # Fields that remain.
        ({"union": {"type": "A", "a": 1, "x": 1}}, {"union": {"$retainKeys": ["type", "b"], "type": "B", "b": 2}},
         {"union": {"type": "B", "b": 2}}),
        ({"union": {"type": "A", "a": 1}}, {"union": {"$retainKeys": ["type"], "type": "B", "a": None}},
         {"union": {"type": "B"}}),
        ({}, {"union": {"$retainKeys": ["type"], "type": "B"}}, {"union": {"type": "B"}}),
    ],
)  # fmt: skip
def test_patches(doc: Any, patch: Any, result: Any) -> None:
    before = orjson.dumps([doc, patch])
    assert apply_strategic_patch(doc, patch, ROOT) == result
    assert orjson.dumps([doc, patch]) == before


@pytest.mark.parametrize(
    ("doc", "patch", "error", "words"),
    [
        ({}, [], BadRequest, "error decoding patch: json: cannot unmarshal array into Go value of type map"),
        ({}, {"$patch": "spell"}, StatusError, "unknown patch type: spell in map:"),
        ({"list": named("a")}, {"list": [{"value": 1}]}, StatusError, "does not contain declared merge key: name"),
        ({"list": named("a")}, {"list": [{"$patch": "delete"}]}, StatusError, "does not contain declared merge key"),
        ({"list": named("a")}, {"list": [{"name": "a", "$patch": "merge"}]}, StatusError,
         "merging lists cannot yet be specified in the patch"),
        ({"list": named("a")}, {"list": ["a"]}, StatusError, "list element types are not identical"),
        ({"set": [1]}, {"set": [[1]]}, Invalid, "the server rejected our request due to an error in our request"),
        ({"union": {"a": 1}}, {"union": {"$retainKeys": "a"}}, BadRequest, "invalid patch format of retainKeys"),
        ({"union": {"a": 1}}, {"union": {"$retainKeys": ["a"], "b": 1}}, BadRequest,
         "invalid patch format of retainKeys"),
        ({"list": named("a")}, {"$setElementOrder": []}, BadRequest, "invalid patch format of setElementOrder list"),
        ({"set": [1]}, {"$deleteFromPrimitiveList": [1]}, BadRequest, "invalid patch format of primitive list"),
        ({"list": named("a", "b")}, {"$setElementOrder/list": named("b", "a"), "list": named("a", "b")}, StatusError,
         r"doesn't match \$setElementOrder list"),
    ],
)  # fmt: skip
def test_bad_patches(doc: Any, patch: Any, error: type[StatusError], words: str) -> None:
    with pytest.raises(error, match=words):
        apply_strategic_patch(doc, patch, ROOT)


def test_the_rest_is_shared() -> None:
    doc = {"object": {"a": 1}, "atoms": [1]}
    result = apply_strategic_patch(doc, {"object": {"b": 2}}, ROOT)
    assert result["atoms"] is doc["atoms"]
    assert result["object"] is not doc["object"]


_names = st.lists(st.sampled_from("abcdef"), unique=True, max_size=5)


@given(_names, _names, st.sets(st.sampled_from("abcdef")))
def test_lists_merge_as_maps(before: list[str], patch: list[str], gone: set[str]) -> None:
    """As maps by name, the result is what a merge patch gives; and both lists keep their order."""
    doc = [{"name": name, "value": 1, "other": 1} for name in before]
    items: list[dict[str, Any]] = [{"name": name, "value": 2} for name in patch if name not in gone]
    items += [{"name": name, "$patch": "delete"} for name in sorted(gone)]
    merged = apply_strategic_patch({"list": doc}, {"list": items}, ROOT)["list"]
    model = {name: {"name": name, "value": 1, "other": 1} for name in before if name not in gone}
    for name in patch:
        if name not in gone:
            model[name] = model.get(name, {}) | {"name": name, "value": 2}
    assert {item["name"]: item for item in merged} == model
    assert len(merged) == len(model)
    order = [item["name"] for item in merged]
    assert [name for name in order if name in patch] == [name for name in patch if name not in gone]
    kept = [name for name in before if name not in patch and name not in gone]
    assert [name for name in order if name in kept] == kept


@given(_names, _names)
def test_set_element_order_orders(before: list[str], wanted: list[str]) -> None:
    merged = apply_strategic_patch({"set": before}, {"$setElementOrder/set": wanted, "set": wanted}, ROOT)
    order = merged.get("set", [])
    assert set(order) == set(before) | set(wanted)
    assert [name for name in order if name in wanted] == wanted


@given(_names, _names)
def test_twice_is_once(before: list[str], patch: list[str]) -> None:
    once = apply_strategic_patch({"list": named(*before)}, {"list": named(*patch)}, ROOT)
    assert apply_strategic_patch(once, {"list": named(*patch)}, ROOT) == once


@lru_cache(maxsize=1)
def schemas() -> Schemas:
    return Schemas()


def real(group: str, kind: str) -> Schema:
    return schemas().kind(group, "v1", kind)


def test_containers_and_their_ports() -> None:
    pod = {"spec": {"containers": [{"name": "a", "image": "x", "ports": [{"containerPort": 80}]}, {"name": "b"}]}}
    patch = {"spec": {"containers": [{"name": "a", "image": "y", "ports": [{"containerPort": 81}]}]}}
    assert apply_strategic_patch(pod, patch, real("", "Pod"))["spec"]["containers"] == [
        {"name": "a", "image": "y", "ports": [{"containerPort": 81}, {"containerPort": 80}]},
        {"name": "b"},
    ]


def test_tolerations_are_replaced_and_finalizers_merged() -> None:
    pod = {"metadata": {"finalizers": ["a"]}, "spec": {"tolerations": [{"key": "a"}]}}
    patch = {"metadata": {"finalizers": ["b"]}, "spec": {"tolerations": [{"key": "b"}]}}
    result = apply_strategic_patch(pod, patch, real("", "Pod"))
    assert result == {"metadata": {"finalizers": ["b", "a"]}, "spec": {"tolerations": [{"key": "b"}]}}


def test_the_strategy_of_a_deployment_retains_keys() -> None:
    deployment = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    result = apply_strategic_patch(deployment, patch, real("apps", "Deployment"))
    assert result == {"spec": {"strategy": {"type": "Recreate"}}}


_containers = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("abc")},
        optional={
            "image": st.sampled_from(["i", "j", None]),
            "env": st.lists(st.fixed_dictionaries({"name": st.sampled_from("AB"), "value": st.sampled_from("12")}),
                            unique_by=lambda env: env["name"]),
            "ports": st.lists(st.builds(lambda port: {"containerPort": port}, st.integers(1, 3)),
                              unique_by=lambda port: port["containerPort"]),
            "args": st.lists(st.sampled_from("xy"), max_size=2),
        },
    ),
    unique_by=lambda container: str(container["name"]), max_size=3,
)  # fmt: skip
_pods = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.fixed_dictionaries(
            {}, optional={"labels": st.dictionaries(st.sampled_from("ab"), st.sampled_from(["1", "2", None])),
                          "finalizers": st.lists(st.sampled_from("fgh"), unique=True)}),
        "spec": st.fixed_dictionaries(
            {}, optional={"containers": _containers, "nodeSelector": st.none() | st.just({"a": "b"}),
                          "tolerations": st.lists(st.builds(lambda key: {"key": key}, st.sampled_from("tu")))}),
    },
)  # fmt: skip


def _settled(value: Any) -> Any:
    """Lists that merge in an order of their own; what upstream appends may come first the next time."""
    if isinstance(value, dict):
        return {key: _settled(part) for key, part in value.items()}
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return sorted((_settled(item) for item in value), key=str)
    return sorted(value) if isinstance(value, list) else value


@given(_pods.map(without_nulls), _pods)
def test_a_pods_patch_twice_is_one_and_changes_nothing_given(pod: Any, patch: Any) -> None:
    before = orjson.dumps([pod, patch])
    once = apply_strategic_patch(pod, patch, real("", "Pod"))
    assert orjson.dumps([pod, patch]) == before
    assert apply_strategic_patch(once, patch, real("", "Pod")) == once
    assert apply_strategic_patch(once, {}, real("", "Pod")) == once


@given(_pods.map(without_nulls), _pods.map(without_nulls))
def test_a_pods_patch_says_what_is_there_afterwards(pod: Any, patch: Any) -> None:
    """Everything in it is found in the result, by the keys of the lists that merge; what is not in it stayed."""
    result = apply_strategic_patch(pod, patch, real("", "Pod"))
    assert _settled(apply_strategic_patch(pod, result, real("", "Pod"))) == _settled(result)
    assert set(result.get("metadata", {}).get("labels", {})) == {
        *pod.get("metadata", {}).get("labels", {}), *patch.get("metadata", {}).get("labels", {}),
    }  # fmt: skip
    named = {item["name"]: item for item in result.get("spec", {}).get("containers", ())}
    for source in (pod, patch):
        for item in source.get("spec", {}).get("containers", ()):
            assert set(item) <= set(named[item["name"]])
    for item in patch.get("spec", {}).get("containers", ()):
        found = named[item["name"]]
        assert [found.get(name) for name in ("image", "args") if name in item] == [
            item[name] for name in ("image", "args") if name in item
        ]


@given(_pods.map(without_nulls))
def test_what_is_patched_onto_nothing_is_it(pod: Any) -> None:
    assert _settled(apply_strategic_patch({}, pod, real("", "Pod"))) == _settled(pod)
