import pytest

from pilothouse.runtime.booleans import parse_bool


@pytest.mark.parametrize("text", ["1", "t", "T", "TRUE", "true", "True"])
def test_true(text: str) -> None:
    assert parse_bool(text)


@pytest.mark.parametrize("text", ["0", "f", "F", "FALSE", "false", "False"])
def test_false(text: str) -> None:
    assert not parse_bool(text)


@pytest.mark.parametrize("text", ["", "yes", "tRUE", " true"])
def test_neither(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_bool(text)
    assert str(refused.value) == f'strconv.ParseBool: parsing "{text}": invalid syntax'
