"""Whole numbers as Go reads them. Source: strconv."""

import pytest

from pilothouse.api.machinery.whole_numbers import UINT64, int_or, parse_int


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("00", 0), ("-0", 0), ("+5", 5), ("-5", -5), ("007", 7), ("100", 100), ("-" + "0" * 5000 + "10", -10),
        ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63)),
    ],
    ids=range(10),
)  # fmt: skip
def test_numbers(text: str, number: int) -> None:
    assert parse_int(text) == number


@pytest.mark.parametrize("text", ["", "-", "+", "1_0", " 1", "1 ", "1.0", "1e3", "0x1", "\u0661", "--1", "a"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="invalid syntax") as found:
        parse_int(text)
    assert str(found.value) == f'strconv.ParseInt: parsing "{text}": invalid syntax'
    assert int_or(7, text) == 7


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "9" * 5000])
def test_what_is_too_large(text: str) -> None:
    with pytest.raises(ValueError, match="value out of range"):
        parse_int(text, function="Atoi")


def test_without_sign() -> None:
    assert parse_int("18446744073709551615", within=UINT64) == 2**64 - 1
    for text, why in (("18446744073709551616", "value out of range"), ("-1", "syntax"), ("+1", "syntax")):
        with pytest.raises(ValueError, match=f"ParseUint.*{why}"):
            parse_int(text, function="ParseUint", within=UINT64)
