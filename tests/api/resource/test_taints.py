"""Source: pkg/apis/resource/validation/validation_devicetaintrule_test.go, validation_resourceclaim_test.go."""

from typing import Any

import pytest

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.resource.taints import default_toleration, validate_taint, validate_toleration

EFFECTS = '"NoExecute", "NoSchedule", "None"'


@pytest.mark.parametrize(
    ("taint", "wrong"),
    [
        ({"key": "a.b/c", "value": "d", "effect": "None"}, []),
        ({"key": "a"}, ["x.effect: Required value"]),
        ({"key": "a", "effect": "Maybe"}, [f'x.effect: Unsupported value: "Maybe": supported values: {EFFECTS}']),
    ],
)
def test_taints(taint: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    validate_taint(taint, errors, "x")
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(
    ("toleration", "wrong"),
    [
        ({"operator": "Exists"}, []),
        ({"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute"}, []),
        (
            {"operator": "Exists", "value": "b"},
            ['x.value: Invalid value: "b": must be empty for operator `Exists`'],
        ),
        ({}, ["x.operator: Required value"]),
        ({"operator": "Near"}, ['x.operator: Unsupported value: "Near": supported values: "Equal", "Exists"']),
        (
            {"operator": "Exists", "effect": "Maybe"},
            [f'x.effect: Unsupported value: "Maybe": supported values: {EFFECTS}'],
        ),
    ],
)
def test_tolerations(toleration: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    validate_toleration(toleration, errors, "x")
    assert [str(error) for error in errors] == wrong


def test_names() -> None:
    errors = FieldErrors()
    validate_taint({"key": "-", "value": "-", "effect": "None"}, errors, "x")
    validate_toleration({"key": "-", "value": "-", "operator": "Equal"}, errors, "y")
    assert [error.path for error in errors] == ["x.key", "x.value", "y.key", "y.value"]


def test_default() -> None:
    toleration: dict[str, Any] = {"key": "a"}
    default_toleration(toleration)
    assert toleration["operator"] == "Equal"
