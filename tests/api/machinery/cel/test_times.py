"""Durations and timestamps: reading, writing, and their parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.cel_expressions import evaluated
from pilothouse.api.machinery.cel import written
from pilothouse.api.machinery.cel.times import parse_duration, parse_timestamp
from pilothouse.api.machinery.cel.values import Duration, Timestamp


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("1h30m", 5400 * 10**9),
        ("-1.5s", -1500 * 10**6),
        ("+1ms", 10**6),
        ("1us1µs1μs1ns", 3001),
        ("0", 0),
        (".5s", 5 * 10**8),
        ("1.s", 10**9),
        ("", None),
        ("1", None),
        ("s", None),
        ("1d", None),
        (".s", None),
        ("1s ", None),
        ("9" * 5000 + "s", None),
        ("9223372036854775807ns", 2**63 - 1),
        ("9223372036854775808ns", None),
        ("-9223372036854775808ns", -(2**63)),
    ],
)
def test_durations(text: str, nanos: int | None) -> None:
    assert parse_duration(text) == (None if nanos is None else Duration(nanos))


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t01:00:00.000000001+01:00", 1),
        ("0001-01-01T00:00:00Z", -62135596800 * 10**9),
        ("0001-01-01T00:00:00+01:00", None),
        ("9999-12-31T23:59:59.999999999Z", 253402300799 * 10**9 + 999999999),
        ("2024-02-30T00:00:00Z", None),
        ("2024-01-01 00:00:00Z", None),
        ("2024-01-01T00:00:00", None),
        ("2024-01-01", None),
    ],
)
def test_timestamps(text: str, nanos: int | None) -> None:
    assert parse_timestamp(text) == (None if nanos is None else Timestamp(nanos))


@given(st.integers(-62135596800 * 10**9, 253402300799 * 10**9))
def test_a_timestamp_is_read_as_it_is_written(nanos: int) -> None:
    assert parse_timestamp(written.timestamp(Timestamp(nanos))) == Timestamp(nanos)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e6, "1e+06"),
        (123456.0, "123456"),
        (1234567.5, "1.2345675e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1.5, "1.5"),
        (-0.0, "-0"),
        (5e-324, "5e-324"),
        (1e300, "1e+300"),
        (float("inf"), "+Inf"),
        (float("nan"), "NaN"),
    ],
)
def test_doubles_as_go_writes_them(value: float, text: str) -> None:
    assert written.double(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_is_read_as_it_is_written(value: float) -> None:
    assert float(written.double(value)) == value
    assert float(written.plain_double(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("timestamp('2024-02-29T23:30:15.250Z').getFullYear()", 2024),
        ("timestamp('2024-02-29T23:30:15.250Z').getMonth()", 1),
        ("timestamp('2024-02-29T23:30:15.250Z').getDate()", 29),
        ("timestamp('2024-02-29T23:30:15.250Z').getDayOfMonth()", 28),
        ("timestamp('2024-02-29T23:30:15.250Z').getDayOfYear()", 59),
        ("timestamp('2024-02-29T23:30:15.250Z').getDayOfWeek()", 4),
        ("timestamp('2024-03-03T00:00:00Z').getDayOfWeek()", 0),
        ("timestamp('2024-02-29T23:30:15.250Z').getHours()", 23),
        ("timestamp('2024-02-29T23:30:15.250Z').getMinutes()", 30),
        ("timestamp('2024-02-29T23:30:15.250Z').getSeconds()", 15),
        ("timestamp('2024-02-29T23:30:15.250Z').getMilliseconds()", 250),
        ("timestamp('2024-02-29T23:30:15.250Z').getHours('Europe/Berlin')", 0),
        ("timestamp('2024-02-29T23:30:15.250Z').getMonth('+01:00')", 2),
        ("timestamp('2024-02-29T23:30:15.250Z').getMinutes('-00:45')", 45),
        ("timestamp('2024-02-29T23:30:15.250Z').getHours('Nowhere/Land')", "error: unknown time zone Nowhere/Land"),
        ("duration('3661.5s').getHours()", 1),
        ("duration('3661.5s').getMinutes()", 61),
        ("duration('-3661.5s').getSeconds()", -3661),
        ("duration('3661.5s').getMilliseconds()", 3661500),
        ("string(duration('1h1.5s'))", "3601.5s"),
        ("string(timestamp('2024-02-29T23:30:15.250+01:00'))", "2024-02-29T22:30:15.25Z"),
        ("int(timestamp('1970-01-01T00:01:00Z'))", 60),
        ("timestamp(60) == timestamp('1970-01-01T00:01:00Z')", True),
    ],
)
def test_parts(text: str, value: object) -> None:
    assert evaluated(text) == value
