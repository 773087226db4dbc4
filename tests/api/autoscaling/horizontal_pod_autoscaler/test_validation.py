"""What an autoscaler must satisfy. Sources: TestValidateHorizontalPodAutoscaler* and TestValidateBehavior in
pkg/apis/autoscaling/validation/validation_test.go, horizontalpodautoscaler/strategy_test.go.
"""

from typing import Any

import pytest

from pilothouse.api.autoscaling.horizontal_pod_autoscaler import RESOURCE
from pilothouse.api.autoscaling.horizontal_pod_autoscaler_v1 import RESOURCE as V1
from pilothouse.api.machinery.field import FieldErrors

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
EXTERNAL = {
    "type": "External",
    "external": {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "3"}},
}
UP = "spec.behavior.scaleUp"
POLICY = {"type": "Pods", "value": 1, "periodSeconds": 1800}


def _autoscaler(**spec: Any) -> dict[str, Any]:
    obj: dict[str, Any] = {"metadata": {"name": "web"}, "spec": {"scaleTargetRef": TARGET, "maxReplicas": 5, **spec}}
    RESOURCE.default(obj)
    return obj


def _up(**rules: Any) -> dict[str, Any]:
    return {"behavior": {"scaleUp": {"policies": [POLICY], **rules}}}


CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"minReplicas": 0, "metrics": [EXTERNAL]}, []),
    (
        {"minReplicas": 0},
        [
            (
                "spec.metrics: Forbidden: "
                "must specify at least one Object or External metric to support scaling to zero replicas"
            )
        ],
    ),
    ({"minReplicas": -1}, ["spec.minReplicas: Invalid value: -1: must be greater than or equal to 0"]),
    (
        {"maxReplicas": 0},
        [
            "spec.maxReplicas: Invalid value: 0: must be greater than 0",
            "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`",
        ],
    ),
    (
        {"minReplicas": 6},
        ["spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`"],
    ),
    ({"scaleTargetRef": {**TARGET, "kind": ""}}, ["spec.scaleTargetRef.kind: Required value"]),
    ({"scaleTargetRef": {**TARGET, "name": ""}}, ["spec.scaleTargetRef.name: Required value"]),
    (
        {"scaleTargetRef": {**TARGET, "kind": ".."}},
        ["spec.scaleTargetRef.kind: Invalid value: \"..\": may not be '..'"],
    ),
    (
        {"scaleTargetRef": {**TARGET, "name": "a/b"}},
        ["spec.scaleTargetRef.name: Invalid value: \"a/b\": may not contain '/'"],
    ),
    (_up(stabilizationWindowSeconds=3600, selectPolicy="Disabled", tolerance="0.1"), []),
    (
        _up(stabilizationWindowSeconds=-1),
        [f"{UP}.stabilizationWindowSeconds: Invalid value: -1: must be greater than or equal to zero"],
    ),
    (
        _up(stabilizationWindowSeconds=3601),
        [f"{UP}.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600"],
    ),
    (
        _up(selectPolicy="Any"),
        [f'{UP}.selectPolicy: Unsupported value: "Any": supported values: "Disabled", "Max", "Min"'],
    ),
    (_up(policies=[]), [f"{UP}.policies: Required value: must specify at least one Policy"]),
    (
        _up(policies=[{**POLICY, "type": "Hours"}]),
        [f'{UP}.policies[0].type: Unsupported value: "Hours": supported values: "Percent", "Pods"'],
    ),
    (
        _up(policies=[{**POLICY, "value": 0}]),
        [f"{UP}.policies[0].value: Invalid value: 0: must be greater than zero"],
    ),
    (
        _up(policies=[{**POLICY, "periodSeconds": 0}]),
        [f"{UP}.policies[0].periodSeconds: Invalid value: 0: must be greater than zero"],
    ),
    (
        _up(policies=[{**POLICY, "periodSeconds": 1801}]),
        [f"{UP}.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800"],
    ),
    (_up(tolerance="-10m"), [f'{UP}.tolerance: Invalid value: "-10m": must be greater than or equal to 0']),
]


@pytest.mark.parametrize(("spec", "wrong"), CASES, ids=[str(number) for number in range(len(CASES))])
def test_validate(spec: dict[str, Any], wrong: list[str]) -> None:
    obj = _autoscaler(**spec)
    errors = FieldErrors()
    RESOURCE.validate(obj, errors)
    assert [str(error) for error in errors] == wrong
    errors = FieldErrors()
    V1.validate(V1.from_storage(obj), errors)
    assert [str(error) for error in errors] == wrong


VERSION = "spec.scaleTargetRef.apiVersion"
NO_GROUP = f'{VERSION}: Invalid value: "v1": apiVersion must specify API group'


def _described(version: str) -> dict[str, Any]:
    source = {
        "describedObject": {"apiVersion": version, "kind": "Service", "name": "web"},
        "metric": {"name": "rps"},
        "target": {"type": "Value", "value": "1"},
    }
    return {"metrics": [{"type": "Object", "object": source}]}


BAD_VERSION = 'spec.metrics[0].object.describedObject.apiVersion: Invalid value: "a/b/c": '
UPDATES: list[tuple[dict[str, Any] | None, dict[str, Any], list[str]]] = [
    (None, {}, []),
    (None, {"scaleTargetRef": {**TARGET, "apiVersion": "v1"}}, [NO_GROUP]),
    (None, {"scaleTargetRef": {"kind": "ReplicationController", "name": "web", "apiVersion": "v1"}}, []),
    (
        None,
        {"scaleTargetRef": {**TARGET, "apiVersion": "a/b/c"}},
        [f'{VERSION}: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'],
    ),
    (None, _described("v1"), []),
    (None, _described("a/b/c"), [f"{BAD_VERSION}unexpected GroupVersion string: a/b/c"]),
    ({"scaleTargetRef": {**TARGET, "apiVersion": "v1"}}, {"scaleTargetRef": {**TARGET, "apiVersion": "v1"}}, []),
    ({}, {"scaleTargetRef": {**TARGET, "apiVersion": "v1"}}, [NO_GROUP]),
    (_described("a/b/c"), _described("a/b/c"), []),
    (_described("v1"), _described("a/b/c"), [f"{BAD_VERSION}unexpected GroupVersion string: a/b/c"]),
]


@pytest.mark.parametrize(("old", "new", "wrong"), UPDATES, ids=[str(number) for number in range(len(UPDATES))])
def test_groups_of_targets(old: dict[str, Any] | None, new: dict[str, Any], wrong: list[str]) -> None:
    obj = _autoscaler(**new)
    for resource, form in ((RESOURCE, dict), (V1, V1.from_storage)):
        errors = FieldErrors()
        if old is None:
            resource.validate_create(form(obj), errors)
        else:
            resource.validate_update(form(obj), form(_autoscaler(**old)), errors)
        assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize("resource", [RESOURCE, V1])
def test_status(resource: Any) -> None:
    errors = FieldErrors()
    resource.validate_status({"status": {"currentReplicas": -1, "desiredReplicas": -1}}, {}, errors)
    assert [str(error) for error in errors] == [
        "status.currentReplicas: Invalid value: -1: must be greater than or equal to 0",
        "status.desiredReplicas: Invalid value: -1: must be greater than or equal to 0",
    ]
