"""Whether a value has the types somebody expects, for JSON that stands in a text and that no schema is asked about.

A shape is a question about a leaf, a list of the one shape of its items, or the shapes of fields: of those not named,
under EACH if that is there, anything is welcome. Null is unset, as everywhere, but for items.
"""

from collections.abc import Callable
from typing import Any

from pilothouse.api.machinery.quantity import parse_quantity

Shape = Any
"""Callable[[Any], bool], [Shape] or {name: Shape}."""
EACH = "*"
"""The name under which the shape of all fields that are not named is found."""


def fits(value: Any, shape: Shape) -> bool:
    """Whether it does."""
    if value is None:
        return True
    if isinstance(shape, dict):
        each: Callable[[Any], bool] | None = shape.get(EACH)
        if not isinstance(value, dict):
            return False
        return all((wanted := shape.get(name, each)) is None or fits(part, wanted) for name, part in value.items())
    if isinstance(shape, list):
        return isinstance(value, list) and all(item is not None and fits(item, shape[0]) for item in value)
    return bool(shape(value))


def text(value: Any) -> bool:
    """A string."""
    return isinstance(value, str)


def int32(value: Any) -> bool:
    """A whole number of 32 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


def amount(value: Any) -> bool:
    """A quantity, as text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    try:
        parse_quantity(value)
    except ValueError:
        return False
    return True
