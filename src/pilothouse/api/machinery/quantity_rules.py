"""Rules for one amount, such as a capacity.

Source of the words: ValidateNonnegativeQuantity and ValidatePositiveQuantityValue in
pkg/apis/core/validation/validation.go.
"""

from typing import Any

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.number_rules import NOT_NEGATIVE
from pilothouse.api.machinery.quantity import ZERO, Quantity, parse_quantity

POSITIVE = "must be greater than zero"


def read_quantity(text: Any, errors: FieldErrors, path: str) -> Quantity | None:
    """The amount, None where it is not set or no amount, of which `errors` are told."""
    if text is None:
        return None
    try:
        return parse_quantity(text)
    except ValueError as problem:
        errors.invalid(path, text, str(problem))
        return None


def validate_positive_quantity(text: Any, errors: FieldErrors, path: str) -> Quantity | None:
    """More than nothing."""
    amount = read_quantity(text, errors, path)
    if amount is not None and amount <= ZERO:
        errors.invalid(path, str(amount), POSITIVE)
    return amount


def validate_quantity(text: Any, errors: FieldErrors, path: str) -> Quantity | None:
    """Not less than nothing."""
    amount = read_quantity(text, errors, path)
    if amount is not None and amount < ZERO:
        errors.invalid(path, str(amount), NOT_NEGATIVE)
    return amount
