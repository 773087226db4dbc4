"""Texts and words of enumerations."""

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.names import path_segment
from pilothouse.api.machinery.text_rules import validate_choice, validate_required_text, validate_text


def test_a_text_by_its_rule() -> None:
    errors = FieldErrors()
    validate_text("a/%", path_segment, errors, "x")
    validate_required_text("", path_segment, errors, "y")
    validate_required_text("..", path_segment, errors, "y")
    validate_required_text("good", path_segment, errors, "y")
    assert [str(error) for error in errors] == [
        "x: Invalid value: \"a/%\": may not contain '/'",
        "x: Invalid value: \"a/%\": may not contain '%'",
        "y: Required value",
        "y: Invalid value: \"..\": may not be '..'",
    ]


def test_one_of_some_words() -> None:
    errors = FieldErrors()
    for value in ("a", "c", None):
        validate_choice(value, ("a", "b"), errors, "x")
    assert [str(error) for error in errors] == [
        'x: Unsupported value: "c": supported values: "a", "b"',
        'x: Unsupported value: "": supported values: "a", "b"',
    ]
