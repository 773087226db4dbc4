"""The rules of numbers that many kinds share: counts, and numbers that may be percentages.

Source of the facts: pkg/apis/core/validation/validation.go (ValidateNonnegativeField, IsDecremented),
pkg/apis/apps/validation/validation.go (ValidatePositiveIntOrPercent, IsNotMoreThan100Percent).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.names import percent
from pilothouse.api.machinery.whole_numbers import int_or

NOT_NEGATIVE = "must be greater than or equal to 0"


def validate_count(value: int | None, errors: FieldErrors, path: str) -> None:
    """A number that is not negative."""
    if value is not None and value < 0:
        errors.invalid(path, value, NOT_NEGATIVE)


def validate_counts(obj: Mapping[str, Any], names: Iterable[str], errors: FieldErrors, path: str) -> None:
    """The fields `names` of an object are such numbers, where they are there."""
    for name in names:
        validate_count(obj.get(name), errors, at(path, name))


def validate_only_grows(new: Mapping[str, Any], old: Mapping[str, Any], errors: FieldErrors, path: str) -> None:
    """The status counts no fewer collisions of names than before."""
    count = (new.get("status") or {}).get("collisionCount")
    before = (old.get("status") or {}).get("collisionCount")
    if before is not None and (count or 0) < before:
        errors.invalid(path, count or 0, "cannot be decremented")


def validate_int_or_percent(value: int | str, errors: FieldErrors, path: str) -> None:
    """A number that is not negative, or digits and a percent sign."""
    if isinstance(value, int):
        validate_count(value, errors, path)
    else:
        for wrong in percent(value):
            errors.invalid(path, value, wrong)


def validate_not_above_all(value: int | str, errors: FieldErrors, path: str) -> None:
    """A percentage of at most a hundred; a number may be larger."""
    if isinstance(value, str) and not percent(value) and int_or(101, value[:-1]) > 100:
        errors.invalid(path, value, "must not be greater than 100%")


def is_none(value: int | str) -> bool:
    """Whether it is 0 or 0 %. What is neither number nor percentage counts as nothing."""
    if isinstance(value, int):
        return value == 0
    digits = value.removesuffix("%")
    return not (digits.isascii() and digits.isdigit() and digits.strip("0"))
