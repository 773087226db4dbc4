"""Equality, order and arithmetic, held against Python's exact integers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.cel import operators
from pilothouse.api.machinery.cel.errors import EvaluationError
from pilothouse.api.machinery.cel.values import Duration, Optional, Struct, Timestamp, Uint

INTS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63)]))
UINTS = st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([0, 1, 2**64 - 1])).map(Uint)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.0, 1.0, 0.5, "a", "b"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=6,
)


def outcome(operate: object, first: object, second: object) -> object:
    try:
        return operate(first, second)  # type: ignore[operator]
    except EvaluationError as error:
        return str(error)


def cut(first: int, second: int) -> int:
    quotient = abs(first) // abs(second)
    return quotient if (first < 0) == (second < 0) else -quotient


@given(INTS, INTS)
def test_integers_are_exact_or_overflow(first: int, second: int) -> None:
    exact = {operators.add: first + second, operators.subtract: first - second, operators.multiply: first * second}
    for operate, value in exact.items():
        fits = -(2**63) <= value < 2**63
        assert outcome(operate, first, second) == (value if fits else "integer overflow")


@given(INTS, INTS)
def test_integers_are_divided_towards_zero(first: int, second: int) -> None:
    if second == 0:
        assert outcome(operators.divide, first, second) == "division by zero"
        assert outcome(operators.modulo, first, second) == "modulus by zero"
    elif (first, second) == (-(2**63), -1):
        assert outcome(operators.divide, first, second) == "integer overflow"
    else:
        assert outcome(operators.divide, first, second) == cut(first, second)
        assert outcome(operators.modulo, first, second) == first - second * cut(first, second)


@given(UINTS, UINTS)
def test_unsigned_ones_stay_so(first: Uint, second: Uint) -> None:
    exact = {
        operators.add: int(first) + int(second),
        operators.subtract: int(first) - int(second),
        operators.multiply: int(first) * int(second),
    }
    for operate, value in exact.items():
        found = outcome(operate, first, second)
        assert found == (value if 0 <= value < 2**64 else "unsigned integer overflow")
        assert isinstance(found, Uint | str)


@given(JSON, JSON)
def test_equality_is_symmetric_and_order_agrees_with_it(first: object, second: object) -> None:
    assert operators.equals(first, first)
    assert operators.equals(first, second) == operators.equals(second, first)
    if operators.is_number(first) and operators.is_number(second):
        assert (operators.compare(first, second, "<") == 0) == operators.equals(first, second)


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        (1, 1.0, True),
        (1, Uint(1), True),
        (True, 1, False),
        (False, 0.0, False),
        ([True], [1], False),
        ({"a": True}, {"a": 1}, False),
        (None, False, False),
        (None, None, True),
        ("1", 1, False),
        (b"a", "a", False),
        (math.nan, math.nan, False),
        (2**53 + 1, float(2**53), False),
        (Duration(1), Duration(1), True),
        (Duration(1), Timestamp(1), False),
        (Optional([1]), Optional([1.0]), True),
        (Optional(None), Optional(None, present=False), False),
        (Struct("Object", {"a": 1}), Struct("Object", {"a": 1.0}), True),
        (Struct("Object", {"a": 1}), Struct("Object.b", {"a": 1}), False),
        (Struct("Object", {}), {}, False),
    ],
)
def test_what_is_equal(first: object, second: object, equal: bool) -> None:
    assert operators.equals(first, second) is equal
    assert operators.equals(second, first) is equal


def test_a_bool_is_no_key_for_a_number() -> None:
    assert operators.find({1: "a"}, True) == (False, None)
    assert operators.find({True: "a"}, 1) == (False, None)
    assert operators.find({True: "a"}, True) == (True, "a")
    assert operators.find({Uint(0): "a"}, 0.0) == (True, "a")


def test_what_cannot_be_ordered() -> None:
    assert outcome(lambda a, b: operators.compare(a, b, "_<_"), math.nan, 1) == "NaN values cannot be ordered"
    assert outcome(lambda a, b: operators.compare(a, b, "_<_"), True, 1) == "no such overload"
    assert outcome(lambda a, b: operators.compare(a, b, "_<_"), None, 1) == "no such overload: _<_"


@pytest.mark.parametrize(("first", "result"), [(1.0, "inf"), (-1.0, "-inf"), (0.0, "nan")])
def test_doubles_are_divided_by_zero(first: float, result: str) -> None:
    assert str(operators.divide(first, 0.0)) == result
