"""The rules of a metav1.LabelSelector, field by field; `selectors` says what it selects.

Source of the facts: apimachinery/pkg/apis/meta/v1/validation/validation.go.
"""

from collections.abc import Mapping
from typing import Any

from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import label_key, label_value, validate_labels

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def validate_label_selector(selector: Mapping[str, Any] | None, errors: FieldErrors, path: str) -> None:
    """Keys and values are those of labels, and every operator has the values it needs."""
    if selector is None:
        return
    validate_labels(selector.get("matchLabels") or {}, errors, at(path, "matchLabels"))
    for position, expression in enumerate(selector.get("matchExpressions") or ()):
        _validate_expression(expression, errors, index(at(path, "matchExpressions"), position))


def _validate_expression(expression: Mapping[str, Any], errors: FieldErrors, path: str) -> None:
    operator, values = expression.get("operator") or "", expression.get("values") or ()
    if operator in ("In", "NotIn") and not values:
        errors.required(at(path, "values"), "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist") and values:
        errors.forbidden(at(path, "values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator not in _OPERATORS:
        errors.invalid(at(path, "operator"), operator, "not a valid selector operator")
    key = expression.get("key") or ""
    for wrong in label_key(key):
        errors.invalid(at(path, "key"), key, wrong)
    for position, value in enumerate(values):
        for wrong in label_value(value):
            errors.invalid(index(at(path, "values"), position), value, wrong)
