"""The rules of a LimitRange: minimum, defaults and maximum of an amount do not contradict each other.

Source of the facts: ValidateLimitRange in pkg/apis/core/validation/validation.go.
"""

from collections.abc import Iterable

from pilothouse.api.core.pod.validation.requirements import (
    may_overcommit,
    validate_container_resource_name,
    validate_resource_name,
)
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import label_key
from pilothouse.api.machinery.quantity import Quantity, of_units
from pilothouse.api.machinery.quantity_rules import read_quantity
from pilothouse.api.machinery.view import JsonObject

_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_AMOUNTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
_DEFAULTS = ("default", "defaultRequest")
_NO_STORAGE = "either minimum or maximum storage value is required, but neither was provided"
_ONE = of_units(1)
Amounts = dict[str, dict[str, Quantity]]
"""By field and resource."""


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """One item a type, of known resources, each in order."""
    seen = set()
    for position, item in enumerate((obj.get("spec") or {}).get("limits") or ()):
        path, kind = index("spec.limits", position), item.get("type") or ""
        _validate_type(kind, errors, at(path, "type"))
        if kind in seen:
            errors.duplicate(at(path, "type"), kind)
        seen.add(kind)
        amounts = _read(item, kind, errors, path)
        storage = "storage" in amounts["min"] or "storage" in amounts["max"]
        if kind == "PersistentVolumeClaim" and not storage:
            errors.required(at(path, "limits"), _NO_STORAGE)
        for name in dict.fromkeys(name for field in _AMOUNTS for name in amounts[field]):
            _validate_order(name, {field: amounts[field].get(name) for field in _AMOUNTS}, errors, path)


def _validate_type(kind: str, errors: FieldErrors, path: str) -> None:
    wrongs = label_key(kind)
    for wrong in wrongs:
        errors.invalid(path, kind, wrong)
    if not wrongs and "/" not in kind and kind not in _TYPES:
        errors.invalid(path, kind, "must be a standard limit type or fully qualified")


def _read(item: JsonObject, kind: str, errors: FieldErrors, path: str) -> Amounts:
    """The amounts of an item; those of a kind of resource that it cannot have are reported."""
    found: Amounts = {field: {} for field in _AMOUNTS}
    for field in _AMOUNTS:
        if kind == "Pod" and field in _DEFAULTS:
            if item.get(field):
                errors.forbidden(at(path, field), "may not be specified when `type` is 'Pod'")
            continue
        for name, text in (item.get(field) or {}).items():
            where = f"{path}.{field}[{name}]"
            if kind in ("Pod", "Container"):
                validate_container_resource_name(name, errors, where)
            else:
                validate_resource_name(name, errors, where)
            if (amount := read_quantity(text, errors, where)) is not None:
                found[field][name] = amount
    return found


_ORDER: Iterable[tuple[str, str, str, str, str]] = (
    ("min", "max", "min", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest",
     "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest",
     "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest", "defaultRequest",
     "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min", "min value {} is greater than default value {}"),
    ("default", "max", "default", "max", "default value {} is greater than max value {}"),
)  # fmt: skip
"""What must not be greater than what; the field that is blamed, the one whose value is shown, and the words."""


def _validate_order(name: str, amounts: dict[str, Quantity | None], errors: FieldErrors, path: str) -> None:
    for small, large, blamed, shown, words in _ORDER:
        low, high = amounts[small], amounts[large]
        if low is not None and high is not None and low > high:
            errors.invalid(f"{path}.{blamed}[{name}]", str(amounts[shown]), words.format(low, high))
    _validate_ratio(amounts, errors, f"{path}.maxLimitRequestRatio[{name}]")
    default, request = amounts["default"], amounts["defaultRequest"]
    if not may_overcommit(name) and default is not None and request is not None and default != request:
        words = f"default value {default} must equal to defaultRequest value {request} in {name}"
        errors.invalid(f"{path}.defaultRequest[{name}]", str(request), words)


def _validate_ratio(amounts: dict[str, Quantity | None], errors: FieldErrors, path: str) -> None:
    ratio, low, high = amounts["maxLimitRequestRatio"], amounts["min"], amounts["max"]
    if ratio is None:
        return
    if ratio < _ONE:
        errors.invalid(path, str(ratio), f"ratio {ratio} is less than 1")
    if low and high is not None:
        largest = high.nano / low.nano
        if ratio.nano / _ONE.nano > largest:
            errors.invalid(path, str(ratio), f"ratio {ratio} is greater than max/min = {largest:f}")
