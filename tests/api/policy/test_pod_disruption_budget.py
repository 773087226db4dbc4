"""PodDisruptionBudget. Source: TestValidate*PodDisruptionBudget* in pkg/apis/policy/validation/validation_test.go."""

from typing import Any

import pytest

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.policy.pod_disruption_budget import RESOURCE

NOT_NEGATIVE = "must be greater than or equal to 0"


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"minAvailable": "100%", "unhealthyPodEvictionPolicy": "AlwaysAllow"}, []),
        ({"maxUnavailable": 0, "selector": {}}, []),
        (
            {"minAvailable": 1, "maxUnavailable": "2%"},
            [
                (
                    'spec: Invalid value: {"MinAvailable":1,"Selector":null,"MaxUnavailable":"2%",'
                    '"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set'
                )
            ],
        ),
        ({"minAvailable": -1}, [f"spec.minAvailable: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"maxUnavailable": -1}, [f"spec.maxUnavailable: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"minAvailable": "101%"}, ['spec.minAvailable: Invalid value: "101%": must not be greater than 100%']),
        (
            {"maxUnavailable": "1.1%"},
            [
                (
                    'spec.maxUnavailable: Invalid value: "1.1%": a valid percent string must be a numeric string '
                    "followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
                )
            ],
        ),
        (
            {"unhealthyPodEvictionPolicy": "Never"},
            [
                (
                    'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": '
                    'supported values: "AlwaysAllow", "IfHealthyBudget"'
                )
            ],
        ),
        (
            {"selector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}},
            ['spec.selector.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator'],
        ),
    ],
)
def test_validate(spec: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate({"spec": spec}, errors)
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        ({"expectedPods": 3}, []),
        ({"currentHealthy": -1}, [f"status.currentHealthy: Invalid value: -1: {NOT_NEGATIVE}"]),
        ({"disruptionsAllowed": -1}, [f"status.disruptionsAllowed: Invalid value: -1: {NOT_NEGATIVE}"]),
        (
            {"conditions": [{"type": "X", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
            ["status.conditions[0].reason: Required value: must be set"],
        ),
    ],
)
def test_status(status: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate_status({"status": status}, {}, errors)
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(("name", "good"), [("Web", True), ("a b", True), ("a/b", False), ("..", False)])
def test_names(name: str, good: bool) -> None:
    assert (not RESOURCE.validate_name(name)) is good
