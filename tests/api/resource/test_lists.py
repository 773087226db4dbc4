"""Lists, sets and maps of limited size."""

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.resource.lists import itself, named, validate_list, validate_map, validate_set


def _even(item: int, errors: FieldErrors, path: str) -> None:
    if item % 2:
        errors.invalid(path, item, "odd")


def _short(text: str, errors: FieldErrors, path: str) -> None:
    if len(text) > 1:
        errors.invalid(path, text, "long")


def _said(errors: FieldErrors) -> list[str]:
    return [str(error) for error in errors]


def test_lists() -> None:
    errors = FieldErrors()
    validate_list([2, 3], 2, _even, errors, "x")
    validate_list([1, 1, 1], 2, _even, errors, "y")
    validate_list(None, 2, _even, errors, "z")
    assert _said(errors) == ["x[1]: Invalid value: 3: odd", "y: Too many: 3: must have at most 2 items"]


def test_sets() -> None:
    errors = FieldErrors()
    validate_set(["a", "bb", "a"], 3, _short, itself, errors, "x")
    validate_set(["a", "a"], 1, _short, itself, errors, "y")
    assert _said(errors) == [
        'x[1]: Invalid value: "bb": long',
        'x[2]: Duplicate value: "a"',
        "y: Too many: 2: must have at most 1 item",
    ]
    assert (named({"name": "a"}), named({})) == ("a", "")


def test_maps() -> None:
    errors = FieldErrors()
    validate_map({"a": 2, "bb": 1}, 2, _short, _even, errors, "x")
    validate_map({"a": 1, "b": 1}, 1, _short, _even, errors, "y")
    assert _said(errors) == [
        'x: Invalid value: "bb": long',
        "x[bb]: Invalid value: 1: odd",
        "y: Too many: 2: must have at most 1 item",
    ]
