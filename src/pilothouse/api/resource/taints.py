"""Taints of devices, and what tolerates them.

Source of the facts: pkg/apis/resource/validation/validation.go; KEP-5055.
"""

from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.names import label_key, label_value
from pilothouse.api.machinery.text_rules import validate_text
from pilothouse.api.machinery.view import JsonObject

_EFFECTS = ("NoExecute", "NoSchedule", "None")
_OPERATORS = ("Equal", "Exists")


def default_toleration(toleration: JsonObject) -> None:
    """Equal, unless it says otherwise."""
    if not toleration.get("operator"):
        toleration["operator"] = "Equal"


def validate_taint(taint: JsonObject, errors: FieldErrors, path: str) -> None:
    """A key, and what becomes of those who do not tolerate it."""
    validate_text(taint.get("key") or "", label_key, errors, at(path, "key"))
    if value := taint.get("value"):
        validate_text(value, label_value, errors, at(path, "value"))
    effect = taint.get("effect") or ""
    if not effect:
        errors.required(at(path, "effect"))
    elif effect not in _EFFECTS:
        errors.not_supported(at(path, "effect"), effect, _EFFECTS)


def validate_toleration(toleration: JsonObject, errors: FieldErrors, path: str) -> None:
    """It speaks of a taint, or of all."""
    key, operator, value, effect = (toleration.get(name) or "" for name in ("key", "operator", "value", "effect"))
    if key:
        validate_text(key, label_key, errors, at(path, "key"))
    match operator:
        case "Exists":
            if value:
                errors.invalid(at(path, "value"), value, "must be empty for operator `Exists`")
        case "Equal":
            validate_text(value, label_value, errors, at(path, "value"))
        case "":
            errors.required(at(path, "operator"))
        case _:
            errors.not_supported(at(path, "operator"), operator, _OPERATORS)
    if effect and effect not in _EFFECTS:
        errors.not_supported(at(path, "effect"), effect, _EFFECTS)
