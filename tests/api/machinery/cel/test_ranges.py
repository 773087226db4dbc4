"""Ranges do not overflow."""

from pilothouse.api.machinery.cel.ranges import ANY, EMPTY, MOST, ONE, Range, exactly


def test_arithmetic() -> None:
    assert Range(1, 2) + Range(3, 4) == Range(4, 6)
    assert Range(1, 2) * Range(3, 4) == Range(3, 8)
    assert Range(1, 5) | Range(0, 3) == Range(0, 5)
    assert (EMPTY | Range(2, 3)) == Range(2, 3)
    assert Range(1, 31).scaled(0.1) == Range(1, 4)


def test_the_largest_number_stays_it() -> None:
    assert Range(1, MOST) == ANY + ONE
    assert ANY * exactly(2) == ANY
    assert ANY.scaled(2) == ANY
    assert ANY.scaled(0.1).high < MOST
