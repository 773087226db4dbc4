"""Lease. Source: pkg/apis/coordination/validation/validation_test.go."""

from typing import Any

import pytest

from pilothouse.api.coordination.lease import RESOURCE
from pilothouse.api.machinery.field import FieldErrors


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"holderIdentity": "", "leaseDurationSeconds": 40, "leaseTransitions": 0}, []),
        ({"leaseDurationSeconds": 0}, ["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"]),
        (
            {"leaseTransitions": -1},
            ["spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0"],
        ),
        ({"strategy": "OldestEmulationVersion", "preferredHolder": "x"}, []),
        ({"strategy": "example.com/mine"}, []),
        (
            {"strategy": "Mine"},
            ['spec.strategy.strategy: Unsupported value: "Mine": supported values: "OldestEmulationVersion"'],
        ),
        (
            {"preferredHolder": "x"},
            ["spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined"],
        ),
    ],
)
def test_validate(spec: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate({"spec": spec}, errors)
    assert [str(error) for error in errors] == wrong


def test_columns() -> None:
    assert RESOURCE.columns[0].cell({"spec": {"holderIdentity": "node-1"}}, 0) == "node-1"
    assert RESOURCE.create_on_update
