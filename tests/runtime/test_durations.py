import pytest

from pilothouse.runtime.durations import go_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("1s", 1),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("-2m", -120),
        ("+.5s", 0.5),
        ("250ms", 0.25),
        ("3us", 3e-6),
    ],
)
def test_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", 'time: invalid duration ""'),
        ("-", 'time: invalid duration "-"'),
        ("s", 'time: invalid duration "s"'),
        (".s", 'time: invalid duration ".s"'),
        ("5 s", 'time: unknown unit " s" in duration "5 s"'),
        ("1.2.3s", 'time: invalid duration "1.2.3s"'),
        ("1", 'time: missing unit in duration "1"'),
        ("1h2", 'time: missing unit in duration "1h2"'),
        ("1d", 'time: unknown unit "d" in duration "1d"'),
    ],
)
def test_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_duration(text)
    assert str(refused.value) == why


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (1, "1s"),
        (15.026, "15.026s"),
        (0.393, "393ms"),
        (0.0005, "500µs"),
        (2e-9, "2ns"),
        (80, "1m20s"),
        (3600, "1h0m0s"),
        (-1.5, "-1.5s"),
    ],
)
def test_written(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text
