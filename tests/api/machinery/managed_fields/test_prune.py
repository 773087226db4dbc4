"""Pruning: what goes with a claim, and what has to stay."""

from functools import lru_cache
from typing import Any

import orjson
import pytest

from pilothouse.api.machinery.managed_fields.configuration import claims
from pilothouse.api.machinery.managed_fields.fields import union
from pilothouse.api.machinery.managed_fields.prune import prune, remove, with_structs
from pilothouse.api.machinery.managed_fields.versions import Version
from pilothouse.api.machinery.schema import Schema, Schemas

NAMED = {"metadata": {"name": "p"}}


@lru_cache(maxsize=1)
def pod() -> Schema:
    return Schemas().kind("", "v1", "Pod")


def claimed(sent: Any) -> Any:
    return claims(pod(), sent)[0]


def labels(**values: str) -> Any:
    return {"metadata": {"name": "p", "labels": values}}


def containers(*names: str, **more: Any) -> Any:
    return {**NAMED, "spec": {"containers": [{"name": name, **more} for name in names]}}


@pytest.mark.parametrize(
    ("merged", "last", "owned", "left"),
    [
        (labels(a="1", b="1"), labels(a="1"), [labels(c="1")], labels(b="1")),  # nobody's stays
        (labels(a="1", b="1"), labels(a="1"), [NAMED], NAMED),  # unless nobody has any of the labels
        (labels(a="1"), labels(a="1"), [NAMED], NAMED),
        (labels(a="1", b="1"), labels(a="1", b="1"), [NAMED, labels(b="2")], labels(b="1")),
        (containers("a", "b"), containers("a", "b"), [containers("b")], containers("b")),
        (containers("a", image="i"), containers("a"), [NAMED], NAMED),  # an item goes with what nobody has of it
        (containers("a", image="i"), containers("a", image="i"), [containers("a")], containers("a")),
        # the struct goes with all that was in it, also with what was nobody's
        ({**NAMED, "spec": {"nodeName": "n", "hostname": "h"}}, {**NAMED, "spec": {"nodeName": "n"}}, [NAMED], NAMED),
        ({**NAMED, "spec": {"nodeName": "n", "hostname": "h"}}, {**NAMED, "spec": {"nodeName": "n"}},
         [NAMED, {"spec": {"hostname": "x"}}], {**NAMED, "spec": {"hostname": "h"}}),
        ({**NAMED, "spec": {"nodeSelector": {"a": "1"}, "hostname": "h"}},
         {**NAMED, "spec": {"nodeSelector": {"b": "1"}}}, [{**NAMED, "spec": {"hostname": "h"}}],
         {**NAMED, "spec": {"hostname": "h"}}),
    ],
)  # fmt: skip
def test_pruned(merged: Any, last: Any, owned: list[Any], left: Any) -> None:
    before = orjson.dumps(merged)
    own = Version(pod(), lambda obj: obj, lambda obj: obj)
    fields: dict[str, Any] = {}
    for sent in owned:
        fields = union(fields, claimed(sent))
    assert prune(merged, claimed(last), "v1", {"v1": fields}, {"v1": own}) == left
    assert orjson.dumps(merged) == before


def test_versions_that_are_not_served_own_nothing() -> None:
    own = Version(pod(), lambda obj: obj, lambda obj: obj)
    owned = {"v1": claimed(NAMED), "v0": claimed(labels(a="1"))}
    assert prune(labels(a="1"), claimed(labels(a="1")), "v1", owned, {"v1": own}) == NAMED


def test_structs_on_the_way_are_members() -> None:
    fields = {"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {"f:containers": {'k:{"name":"c"}': {"f:image": {}}}}}
    assert with_structs(pod(), fields) == {
        "f:metadata": {".": {}, "f:labels": {".": {}, "f:a": {}}},
        "f:spec": {".": {}, "f:containers": {".": {}, 'k:{"name":"c"}': {"f:image": {}}}},
    }


def test_what_is_emptied_is_null() -> None:
    assert remove(pod(), labels(a="1"), {"f:metadata": {"f:labels": {"f:a": {}}}}) == {
        "metadata": {"name": "p", "labels": None}
    }
    finalizers = {"metadata": {"finalizers": ["a", "b"]}}
    assert remove(pod(), finalizers, {"f:metadata": {"f:finalizers": {'v:"a"': {}}}}) == {
        "metadata": {"finalizers": ["b"]}
    }
