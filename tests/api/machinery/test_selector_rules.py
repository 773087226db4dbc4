"""Rules of label selectors. Source: apimachinery/pkg/apis/meta/v1/validation/validation_test.go."""

from typing import Any

import pytest

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.selector_rules import validate_label_selector


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ({"key": "a", "operator": "In", "values": ["b"]}, []),
        ({"key": "a", "operator": "Exists"}, []),
        (
            {"key": "a", "operator": "In"},
            ["s.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"],
        ),
        (
            {"key": "a", "operator": "Exists", "values": ["b"]},
            [
                (
                    "s.matchExpressions[0].values: Forbidden: "
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                )
            ],
        ),
        (
            {"key": "a", "operator": "Near"},
            ['s.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator'],
        ),
    ],
)
def test_expression(expression: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    validate_label_selector({"matchExpressions": [expression]}, errors, "s")
    assert [str(error) for error in errors] == wrong


def test_keys_and_values() -> None:
    errors = FieldErrors()
    expression = {"key": "-", "operator": "In", "values": ["good", "-"]}
    validate_label_selector({"matchLabels": {"-": "x"}, "matchExpressions": [expression]}, errors, "s")
    paths = [error.path for error in errors]
    assert paths == ["s.matchLabels", "s.matchExpressions[0].key", "s.matchExpressions[0].values[1]"]
    validate_label_selector(None, errors, "s")
    assert len(errors) == 3
