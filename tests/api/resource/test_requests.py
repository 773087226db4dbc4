"""What a claim asks for. Source: pkg/apis/resource/validation/validation_resourceclaim_test.go,
pkg/apis/resource/v1/defaults_test.go. *assumed*: CEL expressions are only measured.
"""

from typing import Any

import pytest

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.resource.requests import (
    default_claim,
    names_of,
    validate_claim_spec,
    validate_class,
    validate_raw,
)

EXACTLY: dict[str, Any] = {"deviceClassName": "gpu"}
REQUEST: dict[str, Any] = {"name": "r", "exactly": EXACTLY}
CHOICE: dict[str, Any] = {"name": "c", "firstAvailable": [{"name": "big", **EXACTLY}, {"name": "small", **EXACTLY}]}
R = "spec.devices.requests[0]"
WORDS = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"


def _errors(**devices: Any) -> list[str]:
    spec = {"devices": {"requests": [REQUEST, CHOICE], **devices}}
    default_claim(spec)
    errors = FieldErrors()
    validate_claim_spec(spec, errors, "spec")
    return [str(error) for error in errors]


def test_default() -> None:
    toleration: dict[str, Any] = {"key": "a"}
    spec: dict[str, Any] = {
        "devices": {
            "requests": [
                {"name": "a", "exactly": {"tolerations": [toleration]}},
                {"name": "b", "firstAvailable": [{"allocationMode": "All"}]},
            ]
        }
    }
    default_claim(spec)
    one, other = spec["devices"]["requests"]
    assert one["exactly"] == {
        "allocationMode": "ExactCount",
        "count": 1,
        "tolerations": [{"key": "a", "operator": "Equal"}],
    }
    assert other["firstAvailable"] == [{"allocationMode": "All"}]


@pytest.mark.parametrize(
    ("request_", "wrong"),
    [
        (REQUEST, []),
        (CHOICE, []),
        ({"name": "r"}, [f"{R}: Required value: exactly one of `exactly` or `firstAvailable` is required"]),
        (
            {**REQUEST, "firstAvailable": CHOICE["firstAvailable"]},
            [
                (
                    f"{R}: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, "
                    "but multiple fields are set"
                )
            ],
        ),
        ({"name": "r", "exactly": {}}, [f"{R}.exactly.deviceClassName: Required value"]),
        (
            {"name": "r", "exactly": {**EXACTLY, "allocationMode": "Some"}},
            [f'{R}.exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"'],
        ),
        (
            {"name": "r", "exactly": {**EXACTLY, "allocationMode": "All", "count": 1}},
            [f"{R}.exactly.count: Invalid value: 1: must not be specified when allocationMode is 'All'"],
        ),
        (
            {"name": "r", "exactly": {**EXACTLY, "count": -1}},
            [f"{R}.exactly.count: Invalid value: -1: must be greater than zero"],
        ),
        ({"name": "r", "exactly": {**EXACTLY, "selectors": [{}]}}, [f"{R}.exactly.selectors[0].cel: Required value"]),
        (
            {"name": "r", "exactly": {**EXACTLY, "selectors": [{"cel": {"expression": "x" * 10241}}]}},
            [f"{R}.exactly.selectors[0].cel.expression: Too long: may not be more than 10240 bytes"],
        ),
        (
            {"name": "r", "firstAvailable": [{"name": "a", **EXACTLY}, {"name": "a", **EXACTLY}]},
            [f'{R}.firstAvailable[1]: Duplicate value: "a"'],
        ),
        (
            {"name": "r", "firstAvailable": [{"name": f"a{n}", **EXACTLY} for n in range(9)]},
            [f"{R}.firstAvailable: Too many: 9: must have at most 8 items"],
        ),
        (
            {"name": "r", "exactly": {**EXACTLY, "tolerations": [{"operator": "Exists"}] * 17}},
            [f"{R}.exactly.tolerations: Too many: 17: must have at most 16 items"],
        ),
    ],
)
def test_requests(request_: dict[str, Any], wrong: list[str]) -> None:
    assert _errors(requests=[request_]) == wrong


def test_requests_have_different_names() -> None:
    assert _errors(requests=[REQUEST, REQUEST]) == ['spec.devices.requests[1]: Duplicate value: "r"']
    found = _errors(requests=[{**REQUEST, "name": "A"}])
    assert [error.partition(": ")[0] for error in found] == [f"{R}.name"]


C = "spec.devices.constraints[0]"


@pytest.mark.parametrize(
    ("constraint", "wrong"),
    [
        ({"requests": ["r", "c", "c/big"], "matchAttribute": "a.b/c"}, []),
        ({"distinctAttribute": "a.b/c"}, []),
        (
            {"requests": ["x"], "matchAttribute": "a.b/c"},
            [f'{C}.requests[0]: Invalid value: "x": {WORDS}'],
        ),
        (
            {"requests": ["r/big", "c/big/x"], "matchAttribute": "a.b/c"},
            [
                f'{C}.requests[0]: Invalid value: "r/big": {WORDS}',
                f'{C}.requests[1]: Invalid value: "c/big/x": {WORDS}',
            ],
        ),
        ({"requests": ["r", "r"], "matchAttribute": "a.b/c"}, [f'{C}.requests[1]: Duplicate value: "r"']),
        (
            {},
            [
                (
                    f'{C}: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, '
                    "but multiple fields are set"
                )
            ],
        ),
    ],
)
def test_constraints(constraint: dict[str, Any], wrong: list[str]) -> None:
    assert _errors(constraints=[constraint]) == wrong


O = "spec.devices.config[0].opaque"  # noqa: E741


@pytest.mark.parametrize(
    ("configuration", "wrong"),
    [
        ({"requests": ["r"], "opaque": {"driver": "a.b", "parameters": {}}}, []),
        ({}, [f"{O}: Required value"]),
        ({"opaque": {}}, [f"{O}.driver: Required value", f"{O}.parameters: Required value"]),
        (
            {"opaque": {"driver": "a.b", "parameters": ["x"]}},
            [f'{O}.parameters: Invalid value: "<value omitted>": must be a valid JSON object'],
        ),
        (
            {"opaque": {"driver": "a.b", "parameters": {"x": "y" * 10240}}},
            [f"{O}.parameters: Too long: may not be more than 10240 bytes"],
        ),
    ],
)
def test_configuration(configuration: dict[str, Any], wrong: list[str]) -> None:
    assert [error for error in _errors(config=[configuration]) if "RFC 1123" not in error] == wrong


def test_a_class() -> None:
    errors = FieldErrors()
    validate_class({"selectors": [{"cel": {"expression": "true"}}], "config": [{}]}, errors, "spec")
    assert [str(error) for error in errors] == ["spec.config[0].opaque: Required value"]


def test_names_and_raw() -> None:
    assert names_of({"requests": [REQUEST, CHOICE]}) == {"r": frozenset(), "c": frozenset({"big", "small"})}
    errors = FieldErrors()
    validate_raw({"a": 1}, 7, errors, "x")
    validate_raw({"a": 1}, 6, errors, "y")
    assert [error.path for error in errors] == ["y"]
