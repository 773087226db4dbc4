"""Rules of numbers. Source: TestValidatePositiveIntOrPercent and neighbours in pkg/apis/apps/validation."""

import pytest

from pilothouse.api.machinery import number_rules
from pilothouse.api.machinery.field import FieldErrors


@pytest.mark.parametrize(
    ("value", "wrong"), [(0, False), (3, False), (-1, True), ("5%", False), ("5", True), ("x%", True)]
)
def test_int_or_percent(value: int | str, wrong: bool) -> None:
    errors = FieldErrors()
    number_rules.validate_int_or_percent(value, errors, "n")
    assert bool(errors) is wrong


@pytest.mark.parametrize(("value", "wrong"), [(101, False), ("100%", False), ("101%", True), ("x", False)])
def test_not_above_all(value: int | str, wrong: bool) -> None:
    errors = FieldErrors()
    number_rules.validate_not_above_all(value, errors, "n")
    assert bool(errors) is wrong


@pytest.mark.parametrize(
    ("value", "nothing"), [(0, True), ("0%", True), ("00%", True), (1, False), ("1%", False), ("x", True)]
)
def test_is_none(value: int | str, nothing: bool) -> None:
    assert number_rules.is_none(value) is nothing


@pytest.mark.parametrize(
    ("new", "old", "wrong"), [(None, None, False), (1, None, False), (1, 1, False), (None, 1, True)]
)
def test_only_grows(new: int | None, old: int | None, wrong: bool) -> None:
    errors = FieldErrors()
    after, before = ({"status": {} if count is None else {"collisionCount": count}} for count in (new, old))
    number_rules.validate_only_grows(after, before, errors, "status.collisionCount")
    assert bool(errors) is wrong


def test_absent_counts_are_none_of_its_business() -> None:
    errors = FieldErrors()
    number_rules.validate_counts({"a": None, "b": -1}, ("a", "b", "c"), errors, "status")
    assert [error.path for error in errors] == ["status.b"]
