"""Fields of objects and differences between two, with the schemas of v1.37.

The trees are those that upstream's API server writes for such objects.
"""

from functools import lru_cache
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.managed_fields.fields import difference, union
from pilothouse.api.machinery.managed_fields.walk import compare
from pilothouse.api.machinery.schema import Schema, Schemas


@lru_cache(maxsize=1)
def schemas() -> Schemas:
    return Schemas()


def real(kind: str, group: str = "", version: str = "v1") -> Schema:
    return schemas().kind(group, version, kind)


def text(fields: Any) -> str:
    return orjson.dumps(fields).decode()


POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "uid": "1", "generateName": "a-", "labels": {"app": "x"},
                 "ownerReferences": [{"uid": "u", "name": "r"}]},
    "spec": {
        "containers": [
            {"name": "c", "image": "i", "resources": {}, "ports": [{"containerPort": 80, "protocol": "TCP"}],
             "env": [{"name": "A", "value": "1"}], "args": ["a", "b"]},
        ],
        "tolerations": [{"key": "k"}],
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
        "nodeSelector": {"a": "b"},
    },
}  # fmt: skip
POD_FIELDS = {
    "f:metadata": {
        "f:generateName": {},
        "f:labels": {".": {}, "f:app": {}},
        "f:ownerReferences": {".": {}, 'k:{"uid":"u"}': {}},
    },
    "f:spec": {
        "f:containers": {
            'k:{"name":"c"}': {
                ".": {},
                "f:args": {},
                "f:env": {".": {}, 'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}},
                "f:image": {},
                "f:name": {},
                "f:ports": {
                    ".": {},
                    'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}, "f:protocol": {}},
                },
                "f:resources": {},
            }
        },
        "f:nodeSelector": {},
        "f:securityContext": {},
        "f:terminationGracePeriodSeconds": {},
        "f:tolerations": {},
    },
}


def test_a_new_pod() -> None:
    changes = compare(real("Pod"), None, POD)
    assert text(changes.changed) == text(POD_FIELDS)
    assert changes.removed == {}


def test_a_new_deployment() -> None:
    deployment = {
        "metadata": {"name": "d", "annotations": {"a": "1"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"a": "b"}},
            "strategy": {"rollingUpdate": {"maxSurge": "25%"}, "type": "RollingUpdate"},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c"}]}},
        },
        "status": {},
    }
    assert text(compare(real("Deployment", "apps"), None, deployment).changed) == text({
        "f:metadata": {"f:annotations": {".": {}, "f:a": {}}},
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}}, "f:type": {}},
            "f:template": {
                "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
                "f:spec": {"f:containers": {'k:{"name":"c"}': {".": {}, "f:name": {}}}},
            },
        },
    })  # fmt: skip


def test_a_new_config_map_and_service() -> None:
    assert text(
        compare(real("ConfigMap"), None, {"metadata": {"name": "a"}, "data": {"b": "1", "a": "2"}}).changed
    ) == ('{"f:data":{".":{},"f:a":{},"f:b":{}}}')
    service = {"spec": {"ports": [{"port": 443}, {"port": 80, "protocol": "TCP"}], "clusterIPs": ["1.1.1.1"]}}
    assert text(compare(real("Service"), None, service).changed) == text({
        "f:spec": {
            "f:clusterIPs": {},
            "f:ports": {
                ".": {},
                'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:protocol": {}},
                'k:{"port":443,"protocol":"TCP"}': {".": {}, "f:port": {}},
            },
        }
    })  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "old", "new", "changed", "removed"),
    [
        ("Pod", {"spec": {"nodeName": "a"}}, {"spec": {"nodeName": "b"}}, {"f:spec": {"f:nodeName": {}}}, {}),
        ("Pod", {"spec": {}}, {"spec": {}}, {}, {}),
        ("Pod", {}, {"spec": {}}, {}, {}),
        ("Pod", {"spec": {"nodeName": "a"}}, {}, {}, {"f:spec": {"f:nodeName": {}}}),
        ("Pod", {"metadata": {"resourceVersion": "1"}}, {"metadata": {"resourceVersion": "2"}}, {}, {}),
        ("Pod", {"metadata": {"finalizers": ["a", "b"]}}, {"metadata": {"finalizers": ["c", "b"]}},
         {"f:metadata": {"f:finalizers": {'v:"c"': {}}}}, {"f:metadata": {"f:finalizers": {'v:"a"': {}}}}),
        ("Pod", {"metadata": {"labels": {"a": "1", "b": "1"}}}, {"metadata": {"labels": {"a": "2", "c": "1"}}},
         {"f:metadata": {"f:labels": {"f:a": {}, "f:c": {}}}}, {"f:metadata": {"f:labels": {"f:b": {}}}}),
        ("Pod", {"metadata": {"labels": {"a": "1"}}}, {"metadata": {}},
         {}, {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}),
        ("Pod", {"spec": {"tolerations": [{"key": "a"}]}}, {"spec": {"tolerations": [{"key": "b"}]}},
         {"f:spec": {"f:tolerations": {}}}, {}),
        ("Pod", {"status": {}},
         {"status": {"conditions": [{"type": "Ready", "status": "True", "lastProbeTime": None}]}},
         {"f:status": {"f:conditions": {".": {}, 'k:{"type":"Ready"}': {
             ".": {}, "f:lastProbeTime": {}, "f:status": {}, "f:type": {}}}}}, {}),
        ("Pod", {"status": {"conditions": [{"type": "Ready", "status": "False"}, {"type": "Old"}]}},
         {"status": {"conditions": [{"type": "Ready", "status": "True"}]}},
         {"f:status": {"f:conditions": {'k:{"type":"Ready"}': {"f:status": {}}}}},
         {"f:status": {"f:conditions": {'k:{"type":"Old"}': {".": {}, "f:type": {}}}}}),
        ("Pod", {"status": {"podIPs": [{"ip": "1.1.1.1"}]}}, {"status": {"podIPs": []}},
         {}, {"f:status": {"f:podIPs": {'k:{"ip":"1.1.1.1"}': {".": {}, "f:ip": {}}}}}),
        ("Pod", {"status": {"containerStatuses": [{"name": "a"}]}}, {"status": {"containerStatuses": []}},
         {"f:status": {"f:containerStatuses": {}}}, {}),
        ("ConfigMap", {"data": {}}, {"data": {"a": "1"}}, {"f:data": {"f:a": {}}}, {}),
        ("ConfigMap", {"data": {"a": "1"}}, {"data": {}}, {}, {"f:data": {"f:a": {}}}),
        ("ConfigMap", {}, {"data": {}}, {"f:data": {}}, {}),
    ],
)  # fmt: skip
def test_differences(kind: str, old: Any, new: Any, changed: Any, removed: Any) -> None:
    found = compare(real(kind), old, new)
    assert text(found.changed) == text(changed)
    assert text(found.removed) == text(removed)


def test_free_form_content() -> None:
    schema = Schema(type="object", properties={"spec": Schema(preserve_unknown=True)})
    old = {"spec": {"a": {"b": 1}, "l": [1], "x": 1, "y": {"z": 1}}}
    new = {"spec": {"a": {"b": 2, "c": {}}, "l": [2], "x": {"n": 1}, "y": 1}}
    found = compare(schema, old, new)
    assert found.changed == {
        "f:spec": {"f:a": {"f:b": {}, "f:c": {}}, "f:l": {}, "f:x": {".": {}, "f:n": {}}, "f:y": {}}
    }
    assert found.removed == {"f:spec": {"f:x": {}, "f:y": {"f:z": {}}}}
    assert compare(schema, None, old).changed["f:spec"]["f:a"] == {".": {}, "f:b": {}}


def test_sets_of_anything() -> None:
    schema = Schema(type="object", properties={"s": Schema(type="array", items=Schema(), list_type="set")})
    found = compare(schema, None, {"s": [{"b": 1, "a": 2}, True, 1, "x"]})
    assert list(found.changed["f:s"]) == [".", "v:1", 'v:"x"', "v:true", 'v:{"a":2,"b":1}']
    assert compare(schema, None, {"s": [1]}).changed != compare(schema, None, {"s": [True]}).changed


def test_definitions_may_contain_themselves() -> None:
    schema = {"openAPIV3Schema": {"properties": {"a": {"properties": {"b": {"type": "string"}}}}}}
    definition = {"spec": {"versions": [{"name": "v1", "schema": schema}]}}
    changes = compare(real("CustomResourceDefinition", "apiextensions.k8s.io"), None, definition)
    assert "f:versions" in changes.changed["f:spec"]


def test_equal_shapes_share_their_fields() -> None:
    first = compare(real("Pod"), None, POD).changed
    second = compare(real("Pod"), None, orjson.loads(orjson.dumps(POD).replace(b'"i"', b'"j"'))).changed
    assert first is second
    other = orjson.loads(orjson.dumps(POD).replace(b'"c"', b'"d"'))
    assert compare(real("Pod"), None, other).changed is not first


def objects(needed: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(needed, optional=optional)


_labels = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), min_size=1)
_env = objects({"name": st.sampled_from("AB")}, value=st.sampled_from("12"))
_envs = st.lists(_env, unique_by=lambda env: env["name"], min_size=1)
_container = objects({"name": st.sampled_from("xyz")}, image=st.sampled_from("ij"), env=_envs)
_containers = st.lists(_container, unique_by=lambda container: container["name"], min_size=1)
_finalizers = st.lists(st.sampled_from("fg"), unique=True, min_size=1)
_pods = objects(
    {},
    metadata=objects({}, labels=_labels, finalizers=_finalizers),
    spec=objects({}, containers=_containers, nodeName=st.sampled_from("nm")),
)


@given(_pods, _pods)
def test_steps_lead_from_one_to_the_other(old: Any, new: Any) -> None:
    """A manager of all that was, who loses what went and gets what came, has all that is."""
    changes = compare(real("Pod"), old, new)
    everything = compare(real("Pod"), None, old).changed
    after = union(difference(everything, changes.removed), changes.changed)
    assert after == compare(real("Pod"), None, new).changed


@given(_pods)
def test_nothing_differs_from_itself(pod: Any) -> None:
    changes = compare(real("Pod"), pod, orjson.loads(orjson.dumps(pod)))
    assert (changes.changed, changes.removed) == ({}, {})


@pytest.mark.parametrize("old", [{"a": 1}, {}, "x", 1, [1], True])
@pytest.mark.parametrize("new", [{"a": 2}, "y", 2, [2], False])
def test_what_may_be_anything_may_be_a_plain_value(old: Any, new: Any) -> None:
    schema = real("ControllerRevision", "apps")
    inside: dict[str, Any] = {"f:data": {"f:a": {}}}
    assert compare(schema, None, {"data": new}).changed == (inside if new == {"a": 2} else {"f:data": {}})
    changes = compare(schema, {"data": old}, {"data": new})
    if isinstance(old, dict) and isinstance(new, dict):
        assert (changes.changed, changes.removed) == (inside, {})
    else:
        whole: dict[str, Any] = {"f:data": {".": {}, "f:a": {}}} if new == {"a": 2} else {"f:data": {}}
        assert (changes.changed, changes.removed) == (whole, inside if old == {"a": 1} else {})
