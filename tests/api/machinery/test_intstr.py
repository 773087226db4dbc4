"""IntOrString: percentages as deployments and budgets scale them."""

import pytest

from pilothouse.api.machinery.intstr import is_percent, number, percentage, scaled

NOT_PERCENT = "invalid value for IntOrString: invalid type: string is not a percentage"


@pytest.mark.parametrize(
    ("value", "of", "up", "down"),
    [
        (3, 10, 3, 3),
        ("25%", 10, 3, 2),
        ("25%", 4, 1, 1),
        ("0%", 10, 0, 0),
        ("1%", 10, 1, 0),
        ("100%", 7, 7, 7),
        ("150%", 3, 5, 4),
        ("-10%", 15, -1, -2),
    ],
)
def test_scaled(value: int | str, of: int, up: int, down: int) -> None:
    assert scaled(value, of, round_up=True) == up
    assert scaled(value, of, round_up=False) == down


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("5", NOT_PERCENT),
        ("http", NOT_PERCENT),
        ("", NOT_PERCENT),
        ("x%", 'invalid value for IntOrString: invalid value "x%": strconv.Atoi: parsing "x": invalid syntax'),
        ("1.5%", 'invalid value for IntOrString: invalid value "1.5%": strconv.Atoi: parsing "1.5": invalid syntax'),
        (
            "99999999999999999999%",
            (
                'invalid value for IntOrString: invalid value "99999999999999999999%": '
                'strconv.Atoi: parsing "99999999999999999999": value out of range'
            ),
        ),
    ],
)
def test_not_a_percentage(value: str, wrong: str) -> None:
    with pytest.raises(ValueError) as caught:
        scaled(value, 10, round_up=True)
    assert str(caught.value) == wrong


def test_reading() -> None:
    assert percentage("25%") == 25
    assert is_percent("25%")
    assert not is_percent(25)
    assert not is_percent(None)
    assert [number(value) for value in (8080, "8080", "http", "", "9" * 30)] == [8080, 8080, 0, 0, 0]
