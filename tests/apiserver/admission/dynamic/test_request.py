from typing import Any

import pytest

from fakes.admission import kinds, request
from fakes.served import schemas
from pilothouse.apiserver.admission.dynamic.request import Request
from pilothouse.apiserver.user import User

Json = dict[str, Any]
DEPLOYMENT = {
    "kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "x", "namespace": "default", "uid": "u"},
    "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}}, "status": {"replicas": 2},
}  # fmt: skip
HPA = {
    "kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2", "metadata": {"name": "x"},
    "spec": {
        "maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "web"},
        "metrics": [{"type": "Resource", "resource": {
            "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60},
        }}],
    },
}  # fmt: skip


def asked(*arguments: Any, **named: Any) -> Request:
    return request(kinds(schemas()), *arguments, **named)


def test_an_admission_request() -> None:
    user = User("jane", ("dev",), "17", {"scopes": ("a", "b")})
    of = asked("apps/v1/deployments", "CREATE", DEPLOYMENT, user=user, query="?dryRun=All&fieldManager=me")
    kind = {"group": "apps", "version": "v1", "kind": "Deployment"}
    resource = {"group": "apps", "version": "v1", "resource": "deployments"}
    assert of.describe(of.target) == {
        "kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource, "name": "x",
        "namespace": "default", "operation": "CREATE", "dryRun": True,
        "userInfo": {"username": "jane", "uid": "17", "groups": ["dev"], "extra": {"scopes": ["a", "b"]}},
        "options": {
            "kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "dryRun": ["All"], "fieldManager": "me",
        },
    }  # fmt: skip


def test_what_is_empty_is_left_out() -> None:
    of = asked("/v1/nodes", "CREATE", {"metadata": {"name": "x"}}, user=User("jane"))
    described = of.describe(of.target)
    assert described["userInfo"] == {"username": "jane"}
    assert "namespace" not in described
    assert "subResource" not in described


def test_a_namespace_is_in_itself() -> None:
    of = asked("/v1/namespaces", "CREATE", {"metadata": {"name": "x"}})
    assert of.describe(of.target)["namespace"] == "x"


def test_another_version_is_converted() -> None:
    of = asked("autoscaling/v2/horizontalpodautoscalers", "UPDATE", HPA, HPA)
    (other,) = of.equivalents
    described = of.describe(other)
    assert described["kind"]["version"] == "v1"
    assert described["requestKind"]["version"] == "v2"
    seen = of.seen_as(other.kind)
    assert seen.object is not None
    assert seen.old is not None
    assert seen.object["apiVersion"] == seen.old["apiVersion"] == "autoscaling/v1"
    assert seen.object["spec"]["targetCPUUtilizationPercentage"] == 60
    seen.object["spec"]["targetCPUUtilizationPercentage"] = 70
    of.put(seen.object, other.kind)
    assert of.write.new is not None
    assert of.write.new["apiVersion"] == "autoscaling/v2"
    assert of.write.new["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70


def test_a_scale_is_shown_as_one() -> None:
    new = {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "replicas": 5}}  # type: ignore[dict-item]
    of = asked("apps/v1/deployments/scale", "UPDATE", new, DEPLOYMENT)
    assert of.target.kind == ("autoscaling", "v1", "Scale")
    assert not of.equivalents
    seen = of.seen_as(of.target.kind)
    assert seen.object is not None
    assert seen.old is not None
    assert (seen.object["kind"], seen.object["spec"], seen.old["spec"]) == ("Scale", {"replicas": 5}, {"replicas": 3})
    of.put({**seen.object, "spec": {"replicas": 7}}, of.target.kind)
    assert of.write.new is not None
    assert (of.write.new["kind"], of.write.new["spec"]["replicas"]) == ("Deployment", 7)


def test_a_binding_is_shown_as_one() -> None:
    pod = {"metadata": {"name": "x", "namespace": "default", "uid": "u", "labels": {}}, "spec": {"nodeName": "n1"}}
    of = asked("/v1/pods/binding", "UPDATE", pod, pod)
    assert of.target.kind == ("", "v1", "Binding")
    new, old = of.seen_as(of.target.kind)
    assert new == {
        "kind": "Binding", "apiVersion": "v1", "metadata": {"name": "x", "namespace": "default", "uid": "u"},
        "target": {"kind": "Node", "name": "n1"},
    }  # fmt: skip
    assert old is None
    assert of.describe(of.target)["operation"] == "CREATE"


@pytest.mark.parametrize(
    ("operation", "options"),
    [
        ("UPDATE", {"kind": "UpdateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "me"}),
        ("DELETE", {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", "gracePeriodSeconds": 5}),
        ("CONNECT", None),
    ],
)
def test_options(operation: str, options: Json | None) -> None:
    of = asked("/v1/pods", operation, None, {"metadata": {}}, query="?fieldManager=me")
    of.write.options = {"gracePeriodSeconds": 5}
    assert of.describe(of.target).get("options") == options
