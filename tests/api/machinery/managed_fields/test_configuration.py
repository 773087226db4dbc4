"""What is claimed by what is applied, and the words for what cannot be."""

from functools import lru_cache
from typing import Any

import orjson
import pytest

from pilothouse.api.machinery.managed_fields.configuration import as_go_writes, claims
from pilothouse.api.machinery.schema import Schema, Schemas

KEYED = ".spec.containers: element 0: associative list with keys"


@lru_cache(maxsize=1)
def schemas() -> Schemas:
    return Schemas()


def real(kind: str, group: str = "") -> Schema:
    return schemas().kind(group, "v1", kind)


@pytest.mark.parametrize(
    ("kind", "applied", "claimed"),
    [
        ("ConfigMap", {"metadata": {"name": "a"}, "data": {"b": "1", "a": "2"}},
         {"f:data": {"f:a": {}, "f:b": {}}, "f:metadata": {"f:name": {}}}),
        ("ConfigMap", {"data": {}}, {"f:data": {}}),
        ("ConfigMap", {"data": None, "immutable": None}, {"f:data": {}, "f:immutable": {}}),
        ("Pod", {"spec": {}}, {"f:spec": {}}),
        ("Pod", {"spec": {"containers": []}}, {}),  # an empty list that is merged says nothing
        ("Pod", {"spec": {"tolerations": []}}, {"f:spec": {"f:tolerations": {}}}),  # one that is replaced does
        ("Pod", {"spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80}], "args": ["a"]}]}},
         {"f:spec": {"f:containers": {'k:{"name":"c"}': {
             ".": {}, "f:args": {}, "f:name": {},
             "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}}}}}}),
        ("Pod", {"spec": {"nodeSelector": {"a": "b"}}}, {"f:spec": {"f:nodeSelector": {}}}),  # atomic
        ("Pod", {"metadata": {"finalizers": ["b", "a"]}},
         {"f:metadata": {"f:finalizers": {'v:"a"': {}, 'v:"b"': {}}}}),
        ("Pod", {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": 1}}}]}},
         {"f:spec": {"f:containers": {'k:{"name":"c"}': {
             ".": {}, "f:name": {}, "f:resources": {"f:limits": {"f:cpu": {}}}}}}}),
        ("ControllerRevision", {"data": {"spec": {"a": [1], "b": {}}, "x": None}},
         {"f:data": {"f:spec": {".": {}, "f:a": {}, "f:b": {}}, "f:x": {}}}),
    ],
)  # fmt: skip
def test_claims(kind: str, applied: Any, claimed: Any) -> None:
    found, errors = claims(real(kind, "apps" if kind == "ControllerRevision" else ""), applied)
    assert errors == []
    assert orjson.dumps(found) == orjson.dumps(claimed)


@pytest.mark.parametrize(
    ("applied", "errors"),
    [
        ({"spec": {"containers": [{"name": "c", "imag": "x"}]}},
         ['.spec.containers[name="c"].imag: field not declared in schema']),
        ({"spec": {"containers": [{"name": "c"}, {"name": "c"}], "hostIPC": "yes"}},
         ['.spec.containers: duplicate entries for key [name="c"]', ".spec.hostIPC: expected boolean, got &{yes}"]),
        ({"metadata": {"finalizers": ["f", "f"]}}, ['.metadata.finalizers: duplicate entries for key [="f"]']),
        ({"metadata": {"finalizers": [None]}},
         [".metadata.finalizers: element 0: associative list without keys has an element that's an explicit null"]),
        ({"spec": {"containers": [{"image": "i"}]}},
         [f'{KEYED} has an element that omits key field "name" (and doesn\'t have default value)']),
        ({"spec": {"containers": ["c"]}},
         [f"{KEYED} may not have non-map elements"]),
        ({"spec": {"containers": {"b": 1, "a": ["x", True, None]}}},
         [".spec.containers: expected list, got &{map[a:[x true <nil>] b:1]}"]),
        ({"spec": ["a"]}, [".spec: expected map, got &{[a]}"]),
        ({"metadata": {"labels": "a"}}, [".metadata.labels: expected map, got &{a}"]),
        ({"metadata": {"labels": {"a": 1}}},
         [".metadata.labels.a: expected string, got &value.valueUnstructured{Value:1}"]),
        ({"spec": {"priority": True}}, [".spec.priority: expected numeric (int or float), got bool"]),
        ({"spec": {"containers": [{"name": "c", "args": [1]}]}},
         ['.spec.containers[name="c"].args[0]: expected string, got &value.valueUnstructured{Value:1}']),
        ({"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": {}}}}]}},
         ['.spec.containers[name="c"].resources.limits.cpu: expected any scalar, got &{map[]}']),
    ],
)  # fmt: skip
def test_what_is_wrong(applied: Any, errors: list[str]) -> None:
    assert claims(real("Pod"), applied)[1] == errors


def test_values_as_go_writes_them() -> None:
    assert as_go_writes({"b": [1, "x", None], "a": 1.5}) == (
        'map[string]interface {}{"a":1.5, "b":[]interface {}{1, "x", interface {}(nil)}}'
    )
