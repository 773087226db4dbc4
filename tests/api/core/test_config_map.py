"""ConfigMap. Source: TestValidateConfigMap* in pkg/apis/core/validation/validation_test.go."""

import base64
from typing import Any

import pytest

from pilothouse.api.core.config_map import MAX_SIZE, RESOURCE, decoded_size
from pilothouse.api.machinery.field import FieldErrors

KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
    "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def _errors(obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    errors = FieldErrors()
    RESOURCE.validate(obj, errors)
    if old is not None:
        RESOURCE.validate_update(obj, old, errors)
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("obj", "wrong"),
    [
        ({}, []),
        ({"data": {"a.b": "x"}, "binaryData": {"c": "AAA="}}, []),
        ({"data": {"a/b": "x"}}, [f'data[a/b]: Invalid value: "a/b": {KEY_RULE}']),
        ({"binaryData": {"..": ""}}, ["binaryData[..]: Invalid value: \"..\": must not be '..'"]),
        (
            {"data": {"a": ""}, "binaryData": {"a": ""}},
            ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
        ),
        ({"data": {"a": "x" * MAX_SIZE}}, []),
        ({"data": {"a": "x" * MAX_SIZE, "b": "y"}}, ["[]: Too long: may not be more than 1048576 bytes"]),
    ],
)
def test_validate(obj: dict[str, Any], wrong: list[str]) -> None:
    assert _errors(obj) == wrong


@pytest.mark.parametrize("size", range(7))
def test_decoded_size(size: int) -> None:
    assert decoded_size(base64.b64encode(b"x" * size).decode()) == size


FIXED = "field is immutable when `immutable` is set"


@pytest.mark.parametrize(
    ("obj", "old", "wrong"),
    [
        ({"data": {"a": "2"}}, {"data": {"a": "1"}}, []),
        ({"data": {"a": "1"}, "immutable": True}, {"data": {"a": "1"}}, []),
        ({"data": {"a": "1"}, "immutable": True}, {"data": {"a": "1"}, "immutable": True}, []),
        (
            {"data": {"a": "2"}, "binaryData": {"b": "AA=="}},
            {"data": {"a": "1"}, "immutable": True},
            [f"immutable: Forbidden: {FIXED}", f"data: Forbidden: {FIXED}", f"binaryData: Forbidden: {FIXED}"],
        ),
    ],
)
def test_immutable(obj: dict[str, Any], old: dict[str, Any], wrong: list[str]) -> None:
    assert _errors(obj, old) == wrong


def test_columns() -> None:
    obj = {"data": {"a": "", "b": ""}, "binaryData": {"c": ""}}
    assert next((c.name, c.cell(obj, 0)) for c in RESOURCE.columns) == ("Data", 3)
