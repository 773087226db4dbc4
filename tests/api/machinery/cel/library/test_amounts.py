"""Quantities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.cel_expressions import evaluated
from pilothouse.api.machinery.cel.library.amounts import AMOUNTS, Amount
from pilothouse.api.machinery.quantity import FORMAT_WRONG, of_milli

RUN = {name: function.run for name, function in AMOUNTS.functions.items()}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("quantity('50k').asInteger()", 50000),
        ("quantity('1.5').isInteger()", False),
        ("quantity('1.5').asInteger()", "error: cannot convert value to integer"),
        ("quantity('9999999999999999999999').isInteger()", False),
        ("quantity('50.703').asApproximateFloat()", 50.703),
        ("sign(quantity('-1')) + sign(quantity('0'))", -1),
        ("quantity('150Mi').isGreaterThan(quantity('100Mi'))", True),
        ("quantity('50M').isLessThan(quantity('50Mi'))", True),
        ("quantity('1G').compareTo(quantity('1000M'))", 0),
        ("quantity('1G') == quantity('1000M')", True),
        ("quantity('50k').add(quantity('20')) == quantity('50020')", True),
        ("quantity('50k').add(20) == quantity('50020')", True),
        ("quantity('50k').sub(20).sub(quantity('1')) == quantity('49979')", True),
        ("quantity('2Gi').mul(3) == quantity('6Gi')", True),
        ("quantity('10').div(4) == quantity('2.5')", True),
        ("quantity('1').div(3) == quantity('0.3333')", True),
        ("quantity('2').div(3, 0) == quantity('1')", True),
        ("quantity('7').divInt(2) == quantity('3')", True),
        ("quantity('7').div(0) == quantity('3')", "error: internal error: division by zero error"),
        ("sign(quantity('7').div(2, 11))", "error: the valid range for roundVal is 0 to 10 but 11 was passed"),
        ("isQuantity('1.3Gi') && !isQuantity('200K')", True),
        ("quantity('x')", f"error: {FORMAT_WRONG}"),
    ],
)  # fmt: skip
def test_functions(text: str, value: object) -> None:
    assert evaluated(text) == value


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.integers(1, 1000))
def test_they_are_numbers(first: int, second: int, factor: int) -> None:
    left, right = Amount(of_milli(first)), Amount(of_milli(second))
    assert RUN["add"](left, right) == Amount(of_milli(first + second))
    assert RUN["sub"](left, right) == Amount(of_milli(first - second))
    assert RUN["mul"](left, factor) == Amount(of_milli(first * factor))
    assert RUN["div"](RUN["mul"](left, factor), factor) == left
    assert RUN["compareTo"](left, right) == (first > second) - (first < second)
