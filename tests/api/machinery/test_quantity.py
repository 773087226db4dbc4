"""Quantities: parsing, canonical text, rounding and arithmetic, as pkg/api/resource/quantity_test.go has them."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.api.machinery.quantity import (
    FORMAT_WRONG,
    SUFFIX_WRONG,
    Quantity,
    QuantityFormat,
    of_milli,
    of_units,
    parse_quantity,
    total,
)

BILLION = 10**9

CANONICAL = [
    ("0", "0"), ("0n", "0"), ("0Ki", "0"), ("-0", "0"), ("0.0", "0"), ("00", "0"),
    ("1", "1"), ("100m", "100m"), ("1000m", "1"), ("1500m", "1500m"), ("1.5", "1500m"), ("0.5", "500m"),
    (".5", "500m"), ("1.", "1."), ("0.1m", "100u"), ("0.0001m", "100n"), ("0.00000001m", "1n"),
    ("1n", "1n"), ("0.1n", "1n"), ("-0.1n", "-1n"), ("1.1n", "2n"),
    ("1k", "1k"), ("1000", "1k"), ("1000k", "1M"), ("10000k", "10M"), ("1100k", "1100k"), ("1024", "1024"),
    ("1Ki", "1Ki"), ("8Ki", "8Ki"), ("1024Ki", "1Mi"), ("1.5Gi", "1536Mi"), ("0.5Ki", "512"), ("1.1Ki", "1126400m"),
    ("0.5Mi", "512Ki"), ("0.001Ki", "1024m"), ("0.0001Ki", "102400u"), ("1Ei", "1Ei"), ("100Ei", "9223372036854775807"),
    ("1e3", "1e3"), ("1E3", "1E3"), ("1e1", "10"), ("1e2", "100"), ("1000e3", "1e6"), ("12e6", "12e6"),
    ("1e-3", "1e-3"),
    ("1e-4", "100e-6"), ("1e-10", "1e-9"), ("1.5e3", "1500"), ("1E", "1E"), ("1000E", "1e21"), ("1e21", "1e21"),
    ("9223372036854775807", "9223372036854775807"), ("9223372036854775808", "9223372036854775808"),
    ("-1", "-1"), ("-1Ki", "-1Ki"), ("-1.5", "-1500m"), ("+1", "+1"), ("1.500", "1.500"), ("01", "01"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "canonical"), CANONICAL)
def test_canonical_text(text: str, canonical: str) -> None:
    assert str(parse_quantity(text)) == canonical


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", FORMAT_WRONG), ("1 ", FORMAT_WRONG), (" 1", FORMAT_WRONG), ("1.1.1", FORMAT_WRONG), ("a", FORMAT_WRONG),
        ("1e3k", FORMAT_WRONG), ("1\n", FORMAT_WRONG), ("1µ", FORMAT_WRONG), ("½", FORMAT_WRONG), ("٣", FORMAT_WRONG),
        ("1K", SUFFIX_WRONG), ("1ki", SUFFIX_WRONG), ("1mi", SUFFIX_WRONG), ("1i", SUFFIX_WRONG), ("1e", SUFFIX_WRONG),
        ("1ee3", SUFFIX_WRONG), ("1k3", SUFFIX_WRONG), ("--1", SUFFIX_WRONG), ("1+5", SUFFIX_WRONG),
        ("1e99999999", SUFFIX_WRONG), ("1e" + "9" * 5000, SUFFIX_WRONG),
    ],
)  # fmt: skip
def test_bad_text(text: str, wrong: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_quantity(text)
    assert str(caught.value) == wrong


@pytest.mark.parametrize(
    ("text", "value", "milli"),
    [
        ("0", 0, 0), ("1", 1, 1000), ("1m", 1, 1), ("1n", 1, 1), ("1001m", 2, 1001), ("1.0001", 2, 1001),
        ("-1m", -1, -1), ("-1001m", -2, -1001), ("2Ki", 2048, 2048000), ("1e-5", 1, 1), ("1e-400", 1, 1),
    ],
)  # fmt: skip
def test_rounding_goes_away_from_zero(text: str, value: int, milli: int) -> None:
    assert parse_quantity(text).value() == value
    assert parse_quantity(text).milli() == milli


def test_numbers_of_json() -> None:
    assert str(parse_quantity(2)) == "2"
    assert str(parse_quantity(0.5)) == "500m"
    assert parse_quantity(1e21) == parse_quantity("1e21")
    assert parse_quantity(1e-07) == parse_quantity("100n")


def test_equality_is_by_amount() -> None:
    assert parse_quantity("1024") == parse_quantity("1Ki")
    assert len({parse_quantity("1000m"), parse_quantity("1"), parse_quantity("1e0")}) == 1
    assert parse_quantity("1") != 1
    assert not parse_quantity("0Mi")


def test_sums_keep_the_first_form() -> None:
    assert str(parse_quantity("1Gi") + parse_quantity("1M")) == "1074741824"
    assert str(parse_quantity("0") + parse_quantity("1Gi")) == "1Gi"
    assert str(parse_quantity("1500m") - parse_quantity("0.5")) == "1"
    assert str(-parse_quantity("1Ki")) == "-1Ki"
    assert str(parse_quantity("3Mi") * 2) == "6Mi"
    assert str(total([parse_quantity("0"), parse_quantity("1Mi"), parse_quantity("1Mi")])) == "2Mi"
    assert total([]) == parse_quantity("0")


def test_made_from_numbers() -> None:
    assert str(of_units(2**30, QuantityFormat.BINARY)) == "1Gi"
    assert str(of_units(1000)) == "1k"
    assert str(of_milli(250)) == "250m"


@given(st.integers(-(10**30), 10**30), st.sampled_from(list(QuantityFormat)))
def test_canonical_text_loses_nothing(nano: int, form: QuantityFormat) -> None:
    amount = Quantity(nano, form)
    again = parse_quantity(str(amount))
    if form is not QuantityFormat.BINARY or abs(nano) <= (2**63 - 1) * BILLION:
        assert again == amount
    assert str(Quantity(again.nano, again.format)) == str(again)


@given(st.integers(0, 10**22), st.integers(0, 12), st.sampled_from(["", "m", "k", "G", "Ki", "Gi", "e4", "E-7"]))
def test_parsing_is_exact(number: int, places: int, suffix: str) -> None:
    digits = f"{number:0{places + 1}d}"
    text = f"{digits[: len(digits) - places]}.{digits[len(digits) - places :]}" if places else digits
    factor = {"m": Fraction(1, 1000), "E-7": Fraction(1, 10**7)}.get(suffix) or Fraction(
        {"": 1, "k": 1000, "G": 10**9, "Ki": 1024, "Gi": 2**30, "e4": 10**4}[suffix]
    )
    exact = Fraction(number, 10**places) * factor * BILLION
    if suffix.endswith("i"):
        exact = min(exact, Fraction((2**63 - 1) * BILLION))
    assert parse_quantity(text + suffix).nano == -(-exact.numerator // exact.denominator)


@given(st.integers(), st.integers())
def test_order_is_that_of_amounts(one: int, other: int) -> None:
    first, second = Quantity(one), Quantity(other, QuantityFormat.BINARY)
    assert (first < second, first <= second, first > second, first >= second, first == second) == (
        one < other, one <= other, one > other, one >= other, one == other)  # fmt: skip


_quantities = st.builds(Quantity, st.integers(-(10**24), 10**24), st.sampled_from(list(QuantityFormat)))
_DECIMAL_STEPS = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]
_CANONICAL = re.compile(r"-?(0|[1-9][0-9]*)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|e-?[0-9]+)?")


@given(_quantities)
def test_canonical_text_has_no_fraction_and_the_largest_suffix(amount: Quantity) -> None:
    """As the API page says of the canonical form."""
    found = _CANONICAL.fullmatch(str(parse_quantity(str(amount))))
    assert found, str(amount)
    digits, suffix = int(found.group(1)), found.group(2) or ""
    if digits and suffix in _DECIMAL_STEPS[:-1]:
        assert digits % 1000, str(amount)
    if digits and suffix.startswith("e"):
        assert int(suffix[1:]) % 3 == 0


@given(_quantities, _quantities)
def test_sums_are_those_of_amounts(one: Quantity, other: Quantity) -> None:
    assert (one + other).nano == one.nano + other.nano
    assert one + other == other + one
    assert (one - other) + other == one


@given(st.text("0123456789.+-eEkKMGiTPnum ", max_size=12))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        amount = parse_quantity(text)
    except ValueError:
        return
    assert str(parse_quantity(str(amount))) == str(amount)
