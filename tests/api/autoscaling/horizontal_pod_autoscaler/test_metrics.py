"""One metric of an autoscaler. Source: TestValidateHorizontalPodAutoscaler in
pkg/apis/autoscaling/validation/validation_test.go.
"""

from typing import Any

import pytest

from pilothouse.api.autoscaling.horizontal_pod_autoscaler.metrics import validate_metric
from pilothouse.api.machinery.field import FieldErrors

TYPES = 'supported values: "ContainerResource", "External", "Object", "Pods", "Resource"'
VALUE, AVERAGE = {"type": "Value", "value": "1"}, {"type": "AverageValue", "averageValue": "1"}
SHARE = {"type": "Utilization", "averageUtilization": 50}
SERVICE = {"kind": "Service", "name": "web"}


def _pods(**source: Any) -> dict[str, Any]:
    return {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": AVERAGE, **source}}


def _object(**source: Any) -> dict[str, Any]:
    base = {"describedObject": SERVICE, "metric": {"name": "rps"}, "target": VALUE}
    return {"type": "Object", "object": {**base, **source}}


def _external(**source: Any) -> dict[str, Any]:
    return {"type": "External", "external": {"metric": {"name": "rps"}, "target": VALUE, **source}}


def _resource(**source: Any) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": "cpu", "target": SHARE, **source}}


def _container(**source: Any) -> dict[str, Any]:
    base = {"name": "cpu", "container": "app", "target": SHARE}
    return {"type": "ContainerResource", "containerResource": {**base, **source}}


EXCLUSIVE = "may not set both a target raw value and a target utilization"
NEITHER = "must set either a target raw value or a target utilization"
BOTH = {"type": "Utilization", "averageUtilization": 5, "averageValue": "1"}
CASES: list[tuple[dict[str, Any], list[str]]] = [
    (_pods(), []),
    (_object(), []),
    (_object(target=AVERAGE), []),
    (_external(), []),
    (_resource(), []),
    (_container(name="memory", target=AVERAGE), []),
    (
        {},
        [
            "type: Required value: must specify a metric source type",
            f'type: Unsupported value: "": {TYPES}',
            f'type: Unsupported value: "": {TYPES}',
        ],
    ),
    ({"type": "Moon"}, [f'type: Unsupported value: "Moon": {TYPES}'] * 2),
    ({"type": "Pods"}, ["pods: Required value: must populate information for the given metric source"]),
    (
        {**_resource(), "type": "Pods"},
        ["pods: Required value: must populate information for the given metric source"],
    ),
    (
        {**_pods(), **_external()},
        ["pods: Forbidden: must populate the given metric source only"],
    ),
    (_pods(metric={}), ["pods.metric.name: Required value: must specify a metric name"]),
    (_pods(metric={"name": "a/b"}), ["pods.metric.name: Invalid value: \"a/b\": may not contain '/'"]),
    (
        _pods(target=VALUE),
        ["pods.target.averageValue: Required value: must specify a positive target averageValue"],
    ),
    (
        _pods(target={"averageValue": "1"}),
        [
            "pods.target.type: Required value: must specify a metric target type",
            'pods.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue',
        ],
    ),
    (
        _pods(target={"type": "AverageValue", "averageValue": "-1"}),
        ['pods.target.averageValue: Invalid value: "-1": must be positive'],
    ),
    (
        _object(describedObject={}),
        ["object.describedObject.kind: Required value", "object.describedObject.name: Required value"],
    ),
    (
        _object(target={"type": "Value"}),
        ["object.target.averageValue: Required value: must set either a target value or averageValue"],
    ),
    (_object(target={"type": "Value", "value": "0"}), ['object.target.value: Invalid value: "0": must be positive']),
    (
        _external(target={"type": "Value"}),
        [
            (
                "external.target.averageValue: Required value: "
                "must set either a target value for metric or a per-pod target"
            )
        ],
    ),
    (
        _external(target={"type": "Value", "value": "1", "averageValue": "1"}),
        ["external.target.value: Forbidden: may not set both a target value for metric and a per-pod target"],
    ),
    (_resource(name=""), ["resource.name: Required value: must specify a resource name"]),
    (_resource(target={"type": "Value"}), [f"resource.target.averageUtilization: Required value: {NEITHER}"]),
    (_resource(target=BOTH), [f"resource.target.averageValue: Forbidden: {EXCLUSIVE}"]),
    (
        _resource(target={"type": "Utilization", "averageUtilization": 0}),
        ["resource.target.averageUtilization: Invalid value: 0: must be greater than 0"],
    ),
    (_container(name=""), ["containerResource.name: Required value: must specify a resource name"]),
    (
        _container(name="gold"),
        [
            'containerResource.name: Invalid value: "gold": must be a standard resource type or fully qualified',
            'containerResource.name: Invalid value: "gold": must be a standard resource for containers',
        ],
    ),
    (_container(container=""), ["containerResource.container: Required value: must specify a container"]),
    (
        _container(container="a.b"),
        ['containerResource.container: Invalid value: "a.b": must not contain dots'],
    ),
    (_container(target=BOTH), [f"containerResource.target.averageValue: Forbidden: {EXCLUSIVE}"]),
]


@pytest.mark.parametrize(("metric", "wrong"), CASES, ids=[str(number) for number in range(len(CASES))])
def test_metric(metric: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    validate_metric(metric, errors, "m")
    assert [str(error) for error in errors] == [f"m.{text}" for text in wrong]
