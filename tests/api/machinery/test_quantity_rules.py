"""Amounts that must not be negative, or must be something."""

import pytest

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.quantity import FORMAT_WRONG
from pilothouse.api.machinery.quantity_rules import validate_positive_quantity, validate_quantity


@pytest.mark.parametrize(
    ("text", "any_amount", "some_amount"),
    [
        ("1Gi", [], []),
        ("0", [], ['x: Invalid value: "0": must be greater than zero']),
        (
            "-1",
            ['x: Invalid value: "-1": must be greater than or equal to 0'],
            ['x: Invalid value: "-1": must be greater than zero'],
        ),
        ("much", [f'x: Invalid value: "much": {FORMAT_WRONG}'], [f'x: Invalid value: "much": {FORMAT_WRONG}']),
        (None, [], []),
    ],
)
def test_amounts(text: str | None, any_amount: list[str], some_amount: list[str]) -> None:
    loose, strict = FieldErrors(), FieldErrors()
    validate_quantity(text, loose, "x")
    validate_positive_quantity(text, strict, "x")
    assert ([str(e) for e in loose], [str(e) for e in strict]) == (any_amount, some_amount)
