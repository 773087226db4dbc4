"""The rules of a list of metav1.Condition, as statuses that were made for it have them.

Source of the facts: ValidateConditions in apimachinery/pkg/apis/meta/v1/validation/validation.go.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import label_key, pattern_error

_STATUSES = ("False", "True", "Unknown")
_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_REASON_RE = re.compile(_REASON)
_EXAMPLES = ("my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB")
_MAX_REASON, _MAX_MESSAGE = 1024, 32 * 1024


def validate_conditions(conditions: Iterable[Mapping[str, Any]], errors: FieldErrors, path: str) -> None:
    """One condition of each type, and each says since when and why."""
    seen: set[str] = set()
    for position, condition in enumerate(conditions):
        where, kind = index(path, position), condition.get("type") or ""
        if kind in seen:
            errors.duplicate(at(where, "type"), kind)
        seen.add(kind)
        for wrong in label_key(kind):
            errors.invalid(at(where, "type"), kind, wrong)
        if (status := condition.get("status") or "") not in _STATUSES:
            errors.not_supported(at(where, "status"), status, _STATUSES)
        if (generation := condition.get("observedGeneration") or 0) < 0:
            errors.invalid(at(where, "observedGeneration"), generation, "must be greater than or equal to zero")
        if not condition.get("lastTransitionTime"):
            errors.required(at(where, "lastTransitionTime"), "must be set")
        _validate_reason(condition.get("reason") or "", errors, at(where, "reason"))
        if len((condition.get("message") or "").encode()) > _MAX_MESSAGE:
            errors.too_long(at(where, "message"), _MAX_MESSAGE)


def _validate_reason(reason: str, errors: FieldErrors, path: str) -> None:
    if not reason:
        errors.required(path, "must be set")
        return
    if not _REASON_RE.fullmatch(reason):
        words = (
            "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
            "characters or '_,:', and must end with an alphanumeric character or '_'"
        )
        errors.invalid(path, reason, pattern_error(words, _REASON, *_EXAMPLES))
    if len(reason.encode()) > _MAX_REASON:
        errors.too_long(path, _MAX_REASON)
