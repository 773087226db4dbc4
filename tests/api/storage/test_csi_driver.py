"""CSIDriver. Source: pkg/apis/storage/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.judged import created, updated
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.storage.csi_driver import RESOURCE

GOOD: dict[str, Any] = {"metadata": {"name": "csi.example.com"}, "spec": {}}


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"volumeLifecycleModes": ["Persistent", "Ephemeral"], "fsGroupPolicy": "File"}, []),
        (
            {"fsGroupPolicy": "Always"},
            [
                (
                    'spec.fsGroupPolicy: Unsupported value: "Always": '
                    'supported values: "File", "None", "ReadWriteOnceWithFSType"'
                )
            ],
        ),
        (
            {"volumeLifecycleModes": ["Brief"]},
            ['spec.volumeLifecycleModes: Unsupported value: "Brief": supported values: "Persistent", "Ephemeral"'],
        ),
        ({"tokenRequests": [{"audience": "a"}, {"audience": "b", "expirationSeconds": 600}]}, []),
        (
            {"tokenRequests": [{"audience": "a"}, {"audience": "a"}]},
            ['spec.tokenRequests[1].audience: Duplicate value: "a"'],
        ),
        (
            {"tokenRequests": [{"expirationSeconds": 599}, {"audience": "b", "expirationSeconds": 4294967297}]},
            [
                (
                    "spec.tokenRequests[0].expirationSeconds: Invalid value: 599: "
                    "may not specify a duration less than 10 minutes"
                ),
                (
                    "spec.tokenRequests[1].expirationSeconds: Invalid value: 4294967297: "
                    "may not specify a duration larger than 2^32 seconds"
                ),
            ],
        ),
        (
            {"nodeAllocatableUpdatePeriodSeconds": 9},
            [
                (
                    "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: "
                    "must be greater than or equal to 10 seconds"
                )
            ],
        ),
    ],
)
def test_create(spec: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, {"spec": spec}) == wrong


def test_nothing_is_left_open() -> None:
    errors = FieldErrors()
    RESOURCE.validate({"spec": {}}, errors)
    names = ("attachedRequired", "podInfoOnMount", "storageCapacity", "seLinuxMount")
    assert [str(error) for error in errors] == [f"spec.{name}: Required value" for name in names]


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({"podInfoOnMount": True, "fsGroupPolicy": "None", "tokenRequests": [{"audience": "x"}]}, []),
        ({"attachRequired": False}, ["spec.attachedRequired: Invalid value: false: field is immutable"]),
        (
            {"volumeLifecycleModes": ["Ephemeral"]},
            ['spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable'],
        ),
    ],
)
def test_update(spec: dict[str, Any], wrong: list[str]) -> None:
    assert updated(RESOURCE, GOOD, {"spec": spec}) == wrong
