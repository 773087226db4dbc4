"""Binding. Source: ValidatePodBinding in pkg/apis/core/validation/validation.go."""

import pytest

from pilothouse.api.core.binding import RESOURCE
from pilothouse.api.machinery.field import FieldErrors


@pytest.mark.parametrize(
    ("target", "wrong"),
    [
        ({"kind": "Node", "name": "n"}, []),
        ({"name": "n"}, []),
        ({"kind": "Pod", "name": "n"}, ['target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"']),
        ({}, ["target.name: Required value"]),
    ],
)
def test_validate(target: dict[str, str], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate({"target": target}, errors)
    assert [str(error) for error in errors] == wrong
