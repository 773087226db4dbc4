"""What became of a claim. Source: pkg/apis/resource/validation/validation_resourceclaim_test.go,
pkg/registry/resource/resourceclaim/strategy_test.go.
"""

from typing import Any

import pytest

from fakes.judged import patched, status_updated
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.resource.allocation import drop_lost_devices, validate_binding
from pilothouse.api.resource.resource_claim import RESOURCE

DEVICE: dict[str, Any] = {"driver": "a.b", "pool": "p", "device": "d"}
RESULT: dict[str, Any] = {"request": "r", **DEVICE}
ALLOCATION: dict[str, Any] = {"devices": {"results": [RESULT]}}
USER: dict[str, Any] = {"resource": "pods", "name": "p", "uid": "1"}
GOOD: dict[str, Any] = {
    "metadata": {"name": "c"},
    "spec": {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "gpu", "count": 1}}]}},
}
TAKEN = patched(GOOD, {"status": {"allocation": ALLOCATION, "reservedFor": [USER]}})
UID = "11111111-2222-3333-4444-555555555555"
A = "status.allocation.devices"
REFERENCE = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"


@pytest.mark.parametrize(
    ("good", "status", "wrong"),
    [
        (GOOD, {"allocation": ALLOCATION, "reservedFor": [USER]}, []),
        (TAKEN, {"allocation": None, "reservedFor": None}, []),
        (
            GOOD,
            {"reservedFor": [USER]},
            ["status.reservedFor: Forbidden: may not be specified when `allocated` is not set"],
        ),
        (
            TAKEN,
            {"reservedFor": [USER, USER]},
            ['status.reservedFor[1]: Duplicate value: "1"'],
        ),
        (
            TAKEN,
            {"reservedFor": [{}]},
            [f"status.reservedFor[0].{name}: Required value" for name in ("resource", "name", "uid")],
        ),
        (
            TAKEN,
            {"reservedFor": [{**USER, "uid": str(n)} for n in range(257)]},
            ["status.reservedFor: Too many: 257: must have at most 256 items"],
        ),
        (
            patched(TAKEN, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
            {"reservedFor": [{**USER, "uid": "2"}]},
            [
                (
                    "status.reservedFor: Forbidden: "
                    "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
                )
            ],
        ),
        (
            GOOD,
            {"allocation": {"devices": {"results": [{**RESULT, "request": "x"}]}}},
            [f'{A}.results[0].request: Invalid value: "x": {REFERENCE}'],
        ),
        (
            GOOD,
            {"allocation": {"devices": {"results": [RESULT] * 33}}},
            [f"{A}.results: Too many: 33: must have at most 32 items"],
        ),
        (
            GOOD,
            {"allocation": {"devices": {"results": [{**RESULT, "shareID": "x", "pool": ""}]}}},
            [
                f"{A}.results[0].pool: Required value",
                f'{A}.results[0].shareID: Invalid value: "x": error validating uid: invalid UUID length: 1',
            ],
        ),
        (
            GOOD,
            {
                "allocation": {
                    "devices": {"config": [{"source": "FromMoon", "opaque": {"driver": "a.b", "parameters": {}}}]}
                }
            },
            [f'{A}.config[0].source: Unsupported value: "FromMoon": supported values: "FromClaim", "FromClass"'],
        ),
        (
            GOOD,
            {"allocation": {"nodeSelector": {}}},
            [
                (
                    "status.allocation.nodeSelector.nodeSelectorTerms: Required value: "
                    "must have at least one node selector term"
                )
            ],
        ),
    ],
)
def test_status(good: dict[str, Any], status: dict[str, Any], wrong: list[str]) -> None:
    assert status_updated(RESOURCE, good, {"status": status}) == wrong


def test_an_allocation_stays() -> None:
    changed = {"allocation": {"devices": {"results": [{**RESULT, "device": "e"}]}}}
    (found,) = status_updated(RESOURCE, TAKEN, {"status": changed})
    assert found.startswith("status.allocation: Invalid value: ")
    assert found.endswith(": field is immutable")


D = "status.devices[0]"


@pytest.mark.parametrize(
    ("report", "wrong"),
    [
        ({}, []),
        ({"data": {"a": 1}, "networkData": {"interfaceName": "eth0", "ips": ["10.0.0.1/8", "fd00::1/64"]}}, []),
        (
            {"device": "e"},
            [f'{D}: Invalid value: "a.b/p/e": must be an allocated device in the claim'],
        ),
        ({"data": "x"}, [f'{D}.data: Invalid value: "<value omitted>": must be a valid JSON object']),
        ({"conditions": [{}] * 9}, [f"{D}.conditions: Too many: 9: must have at most 8 items"]),
        (
            {"networkData": {"interfaceName": "x" * 257, "hardwareAddress": "x" * 129}},
            [
                f"{D}.networkData.interfaceName: Too long: may not be more than 256 bytes",
                f"{D}.networkData.hardwareAddress: Too long: may not be more than 128 bytes",
            ],
        ),
        (
            {"networkData": {"ips": ["10.0.0.1", "010.0.0.1/8", "FD00::1/64"]}},
            [
                (
                    f'{D}.networkData.ips[0]: Invalid value: "10.0.0.1": '
                    "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"
                ),
                f'{D}.networkData.ips[1]: Invalid value: "010.0.0.1/8": must be in canonical form ("10.0.0.1/8")',
                f'{D}.networkData.ips[2]: Invalid value: "FD00::1/64": must be in canonical form ("fd00::1/64")',
            ],
        ),
    ],
)
def test_reports(report: dict[str, Any], wrong: list[str]) -> None:
    found = status_updated(RESOURCE, TAKEN, {"status": {"devices": [{**DEVICE, **report}]}})
    assert [error for error in found if ".conditions[" not in error] == wrong


B = "bindingFailureConditions"


@pytest.mark.parametrize(
    ("conditions", "wrong"),
    [
        ({"bindingConditions": ["a"], B: ["b"]}, []),
        (
            {"bindingConditions": ["a"]},
            [f"x.{B}: Invalid value: null: {B} are required to use bindingConditions"],
        ),
        (
            {B: ["a"]},
            [f"x.bindingConditions: Invalid value: null: bindingConditions are required to use {B}"],
        ),
        (
            {"bindingConditions": ["a", "a"], B: ["a"]},
            [
                'x.bindingConditions[1]: Duplicate value: "a"',
                f'x.{B}[0]: Invalid value: "a": {B} must not overlap with bindingConditions',
            ],
        ),
        (
            {"bindingConditions": ["a", "b", "c", "d", "e"], B: ["f"]},
            ["x.bindingConditions: Too many: 5: must have at most 4 items"],
        ),
    ],
)
def test_binding(conditions: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    validate_binding(conditions, errors, "x")
    assert [str(error) for error in errors] == wrong


def test_reports_go_with_their_devices() -> None:
    old = patched(TAKEN, {"status": {"devices": [DEVICE]}})
    gone = patched(old, {"status": {"allocation": None}})
    drop_lost_devices(gone, old)
    assert "devices" not in gone["status"]
    kept = patched(old, {})
    drop_lost_devices(kept, old)
    assert kept == old
