"""Semantic versions."""

import pytest

from fakes.cel_expressions import evaluated
from pilothouse.api.machinery.cel.library.semver import compare, parse

ORDERED = ("0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
           "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0", "2.0.0")  # fmt: skip


def test_numbers_are_of_64_bits_and_their_order_is_not() -> None:
    assert evaluated("isSemver(object)", object="1.2." + "9" * 5000) is False
    assert compare(parse("1.0.0-" + "9" * 5000), parse("1.0.0-1")) == 1


def test_order_of_the_specification() -> None:
    for at, first in enumerate(ORDERED):
        for other, second in enumerate(ORDERED):
            assert compare(parse(first), parse(second)) == (at > other) - (at < other)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("semver('1.2.3').major() * 100 + semver('1.2.3').minor() * 10 + semver('1.2.3').patch()", 123),
        ("semver('1.2.3').isLessThan(semver('1.2.4'))", True),
        ("semver('2.0.0').isGreaterThan(semver('1.9.9'))", True),
        ("semver('1.2.3+a') == semver('1.2.3+b')", True),
        ("semver('v1.2', true) == semver('1.2.0')", True),
        ("semver('v01.002.0', true) == semver('1.2.0')", True),
        ("isSemver('1.2.3-rc.1+build') && isSemver('v1', true)", True),
        ("isSemver('v1.2.3') || isSemver('1.2') || isSemver('01.2.3') || isSemver('1.2.3-')", False),
        ("semver('1.2')", "error: No Major.Minor.Patch elements found"),
        ("semver('')", "error: Version string empty"),
        ("semver('a.2.3')", 'error: Invalid character(s) found in major number "a"'),
        ("semver('1.02.3')", 'error: Minor number must not contain leading zeroes "02"'),
        ("semver('1.2.3-01')", 'error: Numeric PreRelease version must not contain leading zeroes "01"'),
        ("semver('1.2-a', true)", "error: short version cannot contain PreRelease/Build meta data"),
    ],
)  # fmt: skip
def test_functions(text: str, value: object) -> None:
    assert evaluated(text) == value
