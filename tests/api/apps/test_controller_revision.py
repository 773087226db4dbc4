"""ControllerRevision. Source: TestValidateControllerRevision* in pkg/apis/apps/validation/validation_test.go."""

from typing import Any

import pytest

from pilothouse.api.apps.controller_revision import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

NO_OBJECT = "data: Required value: data must be a valid JSON object"


@pytest.mark.parametrize(
    ("obj", "wrong"),
    [
        ({"data": {}, "revision": 0}, []),
        ({"revision": 1}, ["data: Required value: data is mandatory"]),
        ({"data": []}, [NO_OBJECT]),
        ({"data": "test"}, [NO_OBJECT]),
        ({"data": 0}, [NO_OBJECT]),
        ({"data": {}, "revision": -1}, ["revision: Invalid value: -1: must be greater than or equal to 0"]),
    ],
)
def test_validate(obj: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate(obj, errors)
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(
    ("new", "wrong"),
    [
        ({"data": {"a": 1}, "revision": 2}, []),
        ({"data": {"a": 2}, "revision": 1}, ['data: Invalid value: {"a":2}: field is immutable']),
    ],
)
def test_update(new: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate_update(new, {"data": {"a": 1}, "revision": 1}, errors)
    assert [str(error) for error in errors] == wrong
