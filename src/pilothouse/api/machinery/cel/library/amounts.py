"""Quantities: `quantity('1Gi').isGreaterThan(quantity('500Mi'))`.

Source: apiserver/pkg/cel/library/quantity.go.
"""

from dataclasses import dataclass

from pilothouse.api.machinery.cel.declarations import library
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.values import Opaque
from pilothouse.api.machinery.quantity import Quantity, of_units, parse_quantity

_NANO = 10**9
_DEFAULT_DIGITS = 4
_MOST_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Amount(Opaque):
    """A quantity as a value of the language: equal by amount."""

    quantity: Quantity

    type_name = "kubernetes.Quantity"

    def __str__(self) -> str:
        return str(self.quantity)


def _amount(text: str) -> Amount:
    try:
        return Amount(parse_quantity(text))
    except ValueError as error:
        raise EvaluationError(str(error)) from error


def _is_amount(text: str) -> bool:
    try:
        parse_quantity(text)
    except ValueError:
        return False
    return True


def _compared(first: Amount, second: Amount) -> int:
    return (first.quantity > second.quantity) - (first.quantity < second.quantity)


def _is_whole(amount: Amount) -> bool:
    whole, rest = divmod(amount.quantity.nano, _NANO)
    return not rest and -(2**63) <= whole < 2**63


def _whole(amount: Amount) -> int:
    if _is_whole(amount):
        return amount.quantity.nano // _NANO
    raise EvaluationError("cannot convert value to integer")


def _other(value: Amount | int) -> Quantity:
    return value.quantity if isinstance(value, Amount) else of_units(value)


def _divided(amount: Amount, divisor: int, digits: int = _DEFAULT_DIGITS) -> Amount:
    if divisor == 0:
        raise EvaluationError("internal error: division by zero error")
    if not 0 <= digits <= _MOST_DIGITS:
        raise EvaluationError(f"the valid range for roundVal is 0 to 10 but {digits} was passed")
    unit = 10 ** (9 - min(digits, 9))
    quotient, rest = divmod(abs(amount.quantity.nano), abs(divisor) * unit)
    if 2 * rest >= abs(divisor) * unit:
        quotient += 1
    sign = -1 if (amount.quantity.nano < 0) is not (divisor < 0) else 1
    return Amount(Quantity(sign * quotient * unit, amount.quantity.format))


def _divided_whole(amount: Amount, divisor: int) -> Amount:
    if divisor == 0:
        raise EvaluationError("internal error: division by zero error")
    quotient = abs(amount.quantity.nano) // (abs(divisor) * _NANO)
    sign = -1 if (amount.quantity.nano < 0) is not (divisor < 0) else 1
    return Amount(Quantity(sign * quotient * _NANO, amount.quantity.format))


AMOUNTS = library(
    """
    quantity string_to_quantity (string) Quantity
    isQuantity is_quantity_string (string) bool
    sign quantity_sign (Quantity) int
    isGreaterThan quantity_is_greater_than Quantity.(Quantity) bool
    isLessThan quantity_is_less_than Quantity.(Quantity) bool
    compareTo quantity_compare_to Quantity.(Quantity) int
    asApproximateFloat quantity_get_float Quantity.() double
    asInteger quantity_get_int Quantity.() int
    isInteger quantity_is_integer Quantity.() bool
    add quantity_add Quantity.(Quantity) Quantity
    add quantity_add_int Quantity.(int) Quantity
    sub quantity_sub Quantity.(Quantity) Quantity
    sub quantity_sub_int Quantity.(int) Quantity
    mul quantity_multiply_int Quantity.(int) Quantity
    div quantity_divide_int_default_rounding Quantity.(int) Quantity
    div quantity_divide_int_round Quantity.(int, int) Quantity
    divInt quantity_divide_int Quantity.(int) Quantity
    """,
    {
        "quantity": _amount,
        "isQuantity": _is_amount,
        "sign": lambda amount: (amount.quantity.nano > 0) - (amount.quantity.nano < 0),
        "isGreaterThan": lambda first, second: _compared(first, second) > 0,
        "isLessThan": lambda first, second: _compared(first, second) < 0,
        "compareTo": _compared,
        "asApproximateFloat": lambda amount: amount.quantity.nano / _NANO,
        "asInteger": _whole,
        "isInteger": _is_whole,
        "add": lambda amount, other: Amount(amount.quantity + _other(other)),
        "sub": lambda amount, other: Amount(amount.quantity - _other(other)),
        "mul": lambda amount, factor: Amount(amount.quantity * factor),
        "div": _divided,
        "divInt": _divided_whole,
    },
)
