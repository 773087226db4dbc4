"""Devices of a slice. Source: pkg/apis/resource/validation/validation_resourceslice_test.go."""

from typing import Any

import pytest

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.resource.devices import validate_counters, validate_device

ONE_PLACE = (
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to "
    "true in the ResourceSlice spec"
)


def _errors(*, own_place: bool = False, **device: Any) -> list[str]:
    errors = FieldErrors()
    validate_device({"name": "d", **device}, errors, "x", own_place=own_place)
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("attribute", "wrong"),
    [
        ({"int": 0}, []),
        ({"strings": ["a", "b"]}, []),
        ({"version": "1.2.3-rc.1+build.5"}, []),
        ({}, ['x.attributes[a]: Invalid value: "": exactly one value must be specified']),
        (
            {"int": 1, "bool": True},
            ['x.attributes[a]: Invalid value: {"int":1,"bool":true}: exactly one value must be specified'],
        ),
        ({"bools": []}, ["x.attributes[a].bools: Invalid value: []: must not be empty if specified"]),
        ({"string": "x" * 65}, ["x.attributes[a].string: Too long: may not be more than 64 bytes"]),
        (
            {"versions": ["1.2.3", "1.2"]},
            [
                (
                    'x.attributes[a].versions[1]: Invalid value: "1.2": '
                    "must be a string compatible with semver.org spec 2.0.0"
                )
            ],
        ),
    ],
)
def test_attributes(attribute: dict[str, Any], wrong: list[str]) -> None:
    assert _errors(attributes={"a": attribute}) == wrong


def test_numbers() -> None:
    many = {f"a{n}": {"int": n} for n in range(33)}
    assert _errors(attributes=many) == [
        "x: Invalid value: 33: the total number of attributes and capacities must not exceed 32"
    ]
    assert _errors(attributes={"a": {"ints": list(range(49))}}) == [
        "x: Invalid value: 49: the total number of attribute values must not exceed 48"
    ]
    counters = [{"counterSet": name, "counters": {"c": {"value": "1"}}} for name in "abc"]
    assert _errors(consumesCounters=counters) == ["x.consumesCounters: Too many: 3: must have at most 2 items"]
    assert _errors(taints=[{"key": "a", "effect": "None"}] * 17) == [
        "x.taints: Too many: 17: must have at most 16 items"
    ]


P = "x.capacity[memory].requestPolicy"


@pytest.mark.parametrize(
    ("policy", "wrong"),
    [
        ({"default": "1Gi", "validValues": ["1Gi", "2Gi"]}, []),
        ({"default": "1Gi", "validRange": {"min": "1Gi", "max": "4Gi", "step": "1Gi"}}, []),
        ({"default": "1Gi"}, []),
        (
            {"default": "1", "validValues": ["1"], "validRange": {}},
            [
                (
                    f"{P}: Forbidden: exactly one policy can be specified, "
                    'cannot specify "validValues" and "validRange" at the same time'
                )
            ],
        ),
        ({"validValues": ["1"]}, [f"{P}.default: Required value: required when validValues is defined"]),
        ({"validRange": {"min": "1"}}, [f"{P}.default: Required value: required when validRange is defined"]),
        (
            {"default": "3", "validValues": ["2", "1", "9Gi"]},
            [
                f'{P}.validValues[1]: Invalid value: "1": values must be sorted in ascending order',
                f'{P}.validValues[2]: Invalid value: "9Gi": option is larger than capacity value: 8Gi',
                f'{P}.validValues: Invalid value: "3": default value is not valid according to the requestPolicy',
            ],
        ),
        (
            {"default": "1", "validRange": {}},
            [f"{P}.validRange.min: Required value: required when validRange is defined"],
        ),
        (
            {"default": "1", "validRange": {"min": "9Gi", "max": "10Gi"}},
            [
                f'{P}.validRange.min: Invalid value: "9Gi": min is larger than capacity value: 8Gi',
                f'{P}.validRange.default: Invalid value: "1": default is less than min: 9Gi',
                f'{P}.validRange.max: Invalid value: "10Gi": max is larger than capacity value: 8Gi',
            ],
        ),
        (
            {"default": "3", "validRange": {"min": "2", "max": "1"}},
            [
                f'{P}.validRange.max: Invalid value: "2": min is larger than max: 1',
                f'{P}.validRange.default: Invalid value: "3": default is more than max: 1',
            ],
        ),
        (
            {"default": "1", "validRange": {"min": "1", "step": "0"}},
            [f'{P}.validRange.step: Invalid value: "0": must be greater than zero'],
        ),
        (
            {"default": "2", "validRange": {"min": "1", "max": "6", "step": "2"}},
            [
                f'{P}.validRange.step: Invalid value: "2": value is not a multiple of a given step (2) from (1)',
                f'{P}.validRange.step: Invalid value: "6": value is not a multiple of a given step (2) from (1)',
            ],
        ),
        (
            {"default": "1", "validRange": {"min": "1", "step": "8Gi"}},
            [(f'{P}.validRange.step: Invalid value: "8Gi": one step 8589934593 is larger than capacity value: 8Gi')],
        ),
    ],
)
def test_shared_capacity(policy: dict[str, Any], wrong: list[str]) -> None:
    capacity = {"memory": {"value": "8Gi", "requestPolicy": policy}}
    assert _errors(capacity=capacity, allowMultipleAllocations=True) == wrong


def test_policies_are_for_devices_that_are_shared() -> None:
    assert _errors(capacity={"memory": {"value": "1", "requestPolicy": {}}}) == [
        f"{P}: Forbidden: allowMultipleAllocations must be true"
    ]


@pytest.mark.parametrize(
    ("own_place", "device", "wrong"),
    [
        (False, {}, []),
        (True, {"nodeName": "n"}, []),
        (True, {"allNodes": True}, []),
        (True, {}, [f"x: Required value: {ONE_PLACE}"]),
        (True, {"nodeName": "n", "allNodes": True}, [f'x: Invalid value: "{{`nodeName`, `allNodes`}}": {ONE_PLACE}']),
        (True, {"nodeName": "", "allNodes": True}, ['x.nodeName: Invalid value: "": must not be empty']),
        (
            True,
            {"nodeName": "n", "allNodes": False},
            ["x.allNodes: Invalid value: false: must be either unset or set to true"],
        ),
        (
            False,
            {"nodeName": "n"},
            [
                (
                    "x: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if "
                    "`perDeviceNodeSelection` is set to true in the ResourceSlice spec"
                )
            ],
        ),
    ],
)
def test_places(own_place: bool, device: dict[str, Any], wrong: list[str]) -> None:
    assert _errors(own_place=own_place, **device) == wrong


def test_counters() -> None:
    assert _errors(consumesCounters=[{}]) == [
        "x.consumesCounters[0].counterSet: Required value",
        "x.consumesCounters[0].counters: Required value",
    ]
    errors = FieldErrors()
    validate_counters({"name": "a", "counters": {"A": {"value": "1"}, "b": {"value": "x"}}}, "name", errors, "s")
    assert [error.path for error in errors] == ["s.counters", "s.counters[b].value"]
