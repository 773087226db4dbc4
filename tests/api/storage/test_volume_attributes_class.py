"""VolumeAttributesClass. Source: pkg/apis/storage/validation/validation_test.go. *assumed*: words for no parameters."""

from typing import Any

import pytest

from fakes.judged import created, updated
from pilothouse.api.storage.volume_attributes_class import RESOURCE

GOOD: dict[str, Any] = {"metadata": {"name": "gold"}, "driverName": "csi.example.com", "parameters": {"iops": "1"}}


@pytest.mark.parametrize(
    ("patch", "wrong"),
    [
        ({}, []),
        ({"driverName": None}, ["driverName: Required value"]),
        ({"parameters": None}, ["parameters: Required value: must contain at least one key/value pair"]),
        ({"parameters": {"": "1"}}, ['parameters: Invalid value: "": field can not be empty.']),
    ],
)
def test_create(patch: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, patch) == wrong


@pytest.mark.parametrize(
    ("patch", "wrong"),
    [
        ({"metadata": {"labels": {"a": "b"}}}, []),
        ({"driverName": "other"}, ["driverName: Forbidden: updates to driverName are forbidden."]),
        ({"parameters": {"iops": "2"}}, ["parameters: Forbidden: updates to parameters are forbidden."]),
    ],
)
def test_update(patch: dict[str, Any], wrong: list[str]) -> None:
    assert updated(RESOURCE, GOOD, patch) == wrong
