"""HorizontalPodAutoscaler in both versions.

Sources: pkg/apis/autoscaling/v1/conversion.go, pkg/apis/autoscaling/v2/defaults_test.go, TestPrintHPA.
"""

from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import golden
from pilothouse.api.autoscaling.horizontal_pod_autoscaler import RESOURCE as V2
from pilothouse.api.autoscaling.horizontal_pod_autoscaler_v1 import BEHAVIOR, CONDITIONS, CURRENT_METRICS, METRICS
from pilothouse.api.autoscaling.horizontal_pod_autoscaler_v1 import RESOURCE as V1
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.schema import Schemas, check

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
PODS = {
    "type": "Pods",
    "pods": {
        "metric": {"name": "rps", "selector": {"matchLabels": {"a": "b"}}},
        "target": {"type": "AverageValue", "averageValue": "10"},
    },
}
OBJECT = {
    "type": "Object",
    "object": {
        "describedObject": {"kind": "Service", "name": "web", "apiVersion": "v1"},
        "metric": {"name": "rps"},
        "target": {"type": "Value", "value": "10"},
    },
}
EXTERNAL = {
    "type": "External",
    "external": {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "3"}},
}
CONTAINER = {
    "type": "ContainerResource",
    "containerResource": {
        "name": "memory",
        "container": "app",
        "target": {"type": "AverageValue", "averageValue": "1Gi"},
    },
}


def _v2(*metrics: dict[str, Any], **more: Any) -> dict[str, Any]:
    target = {"kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5, "metrics": list(metrics), **more}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "annotations": {"mine": "x"}},
        "spec": spec,
        "status": {"currentReplicas": 1, "desiredReplicas": 1},
    }


def test_v1_shows_cpu() -> None:
    old = V1.from_storage(_v2(CPU))
    assert old["apiVersion"] == "autoscaling/v1"
    assert old["spec"]["targetCPUUtilizationPercentage"] == 50
    assert "metrics" not in old["spec"]
    assert old["metadata"]["annotations"] == {"mine": "x"}


def test_v1_hides_the_rest_in_annotations() -> None:
    old = V1.from_storage(_v2(PODS, CPU))
    assert old["spec"]["targetCPUUtilizationPercentage"] == 50
    assert orjson.loads(old["metadata"]["annotations"][METRICS]) == [
        {
            "type": "Pods",
            "pods": {"metricName": "rps", "selector": {"matchLabels": {"a": "b"}}, "targetAverageValue": "10"},
        }
    ]


def test_v1_without_metrics_means_80_percent_of_cpu() -> None:
    stored = V1.to_storage({"metadata": {}, "spec": {"maxReplicas": 3}})
    assert [m["resource"]["target"]["averageUtilization"] for m in stored["spec"]["metrics"]] == [80]
    assert stored["apiVersion"] == "autoscaling/v2"
    assert "annotations" not in stored["metadata"]


@given(
    metrics=st.permutations([PODS, OBJECT, EXTERNAL, CONTAINER]).map(lambda found: found[:3]),
    cpu=st.booleans(),
    behavior=st.sampled_from([None, {"scaleUp": {"selectPolicy": "Min"}}]),
)
def test_nothing_is_lost_through_v1(metrics: list[dict[str, Any]], cpu: bool, behavior: dict[str, Any] | None) -> None:
    obj = _v2(*metrics, *([CPU] if cpu else []), **({"behavior": behavior} if behavior else {}))
    obj["status"]["currentMetrics"] = [
        {"type": "Pods", "pods": {"metric": {"name": "rps"}, "current": {"averageValue": "7"}}},
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 40, "averageValue": "1"}}},
    ]
    obj["status"]["conditions"] = [{"type": "AbleToScale", "status": "True"}]
    assert V1.to_storage(V1.from_storage(obj)) == obj


def test_v1_status_of_cpu() -> None:
    obj = _v2(CPU)
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 40}}}
    obj["status"]["currentMetrics"] = [current]
    assert V1.from_storage(obj)["status"]["currentCPUUtilizationPercentage"] == 40


def test_a_broken_annotation_is_dropped() -> None:
    stored = V1.to_storage({"metadata": {"annotations": {METRICS: "{", BEHAVIOR: ""}}, "spec": {}})
    assert "annotations" not in stored["metadata"]
    assert "behavior" not in stored["spec"]


def test_defaults() -> None:
    obj: dict[str, Any] = {"spec": {"behavior": {"scaleDown": {"policies": []}}}}
    V2.default(obj)
    assert obj["spec"]["minReplicas"] == 1
    assert obj["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 80
    assert obj["spec"]["behavior"] == {
        "scaleDown": {"policies": [], "selectPolicy": "Max"},
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Pods", "value": 4, "periodSeconds": 15},
                {"type": "Percent", "value": 100, "periodSeconds": 15},
            ],
        },
    }
    old: dict[str, Any] = {}
    V1.default(old)
    assert old == {"spec": {"minReplicas": 1}}


@pytest.mark.parametrize(
    ("specs", "statuses", "text"),
    [
        ([], [], "<none>"),
        ([CPU], [], "cpu: <unknown>/50%"),
        ([CPU], [{"resource": {"current": {"averageUtilization": 40}}}], "cpu: 40%/50%"),
        ([CONTAINER], [{"containerResource": {"current": {"averageValue": "1Mi"}}}], "memory: 1Mi/1Gi"),
        ([PODS], [{"pods": {"current": {"averageValue": "7"}}}], "7/10"),
        ([OBJECT], [{"object": {"current": {"value": "4"}}}], "4/10"),
        ([EXTERNAL], [], "<unknown>/3 (avg)"),
        ([{"type": "Moon"}], [], "<unknown type>"),
        ([CPU, PODS, OBJECT, EXTERNAL], [], "cpu: <unknown>/50%, <unknown>/10 + 2 more..."),
    ],
)
def test_targets(specs: list[dict[str, Any]], statuses: list[dict[str, Any]], text: str) -> None:
    obj = _v2(*specs)
    obj["status"]["currentMetrics"] = statuses
    assert {c.name: c.cell(obj, 0) for c in V2.columns}["Targets"] == text


def test_columns() -> None:
    rows = [{c.name: c.cell(o, 0) for c in r.columns} for r, o in ((V2, _v2(CPU)), (V1, V1.from_storage(_v2(CPU))))]
    assert rows[0] == rows[1]
    assert {**rows[0], "Targets": ""} == {
        "Reference": "Deployment/web",
        "Targets": "",
        "MinPods": "1",
        "MaxPods": 5,
        "Replicas": 1,
        "Age": "<unknown>",
    }


def test_the_cpu_that_a_v1_status_names_is_a_metric() -> None:
    stored = V1.to_storage({"metadata": {}, "spec": {}, "status": {"currentCPUUtilizationPercentage": 40}})
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 40}}}
    assert stored["status"] == {"currentMetrics": [current]}


def test_a_v1_status_without_metrics_has_none() -> None:
    """As autoscaling/v2 writes it."""
    assert V1.to_storage({"metadata": {}, "spec": {}, "status": {"currentReplicas": 1}})["status"] == {
        "currentReplicas": 1,
        "currentMetrics": None,
    }


_names = st.sampled_from([
    "type", "resource", "pods", "object", "external", "containerResource", "name", "metricName", "target", "selector",
    "targetValue", "targetAverageValue", "targetAverageUtilization", "scaleUp", "scaleDown", "policies", "value",
    "periodSeconds", "stabilizationWindowSeconds", "selectPolicy", "status", "lastTransitionTime", "matchLabels",
])  # fmt: skip
_written = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from(["", "cpu", "1", "Resource", "Pods", "x", 2**40]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR]), _written, min_size=1))
def test_annotations_that_anybody_may_write(annotations: dict[str, Any]) -> None:
    """They are read, or dropped; what comes of them can be judged, shown and stored."""
    texts = {key: orjson.dumps(value).decode() for key, value in annotations.items()}
    target = {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}
    obj = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a", "annotations": texts},
        "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3},
        "status": {"currentReplicas": 0, "desiredReplicas": 0},
    }
    V1.validate(obj, FieldErrors())
    V1.validate_update(obj, obj, FieldErrors())
    for column in V1.columns:
        column.cell(obj, 0.0)
    stored = V1.to_storage(obj)
    assert check(_schemas().kind("autoscaling", "v2", "HorizontalPodAutoscaler"), stored).errors == ()
    again = V1.to_storage(V1.from_storage(stored))
    assert V1.to_storage(V1.from_storage(again)) == again


@cache
def _schemas() -> Schemas:
    return Schemas()


def test_upstreams_object_comes_back() -> None:
    """Its v1 form, whole: but for the CPU that its status names, which becomes a metric, too."""
    sent = orjson.loads(golden.path_of("autoscaling.v1.HorizontalPodAutoscaler", "json").read_bytes())
    back = V1.from_storage(V1.to_storage(sent))
    assert orjson.loads(back["metadata"]["annotations"].pop(CURRENT_METRICS)) == [
        {"type": "Resource", "resource": {"name": "cpu", "currentAverageUtilization": 5}}
    ]
    assert back == sent
