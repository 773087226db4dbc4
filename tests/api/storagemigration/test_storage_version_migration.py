"""StorageVersionMigration. Source: pkg/apis/storagemigration/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.judged import created, patched, status_updated, updated
from pilothouse.api.storagemigration.storage_version_migration import RESOURCE

GOOD: dict[str, Any] = {"metadata": {"name": "m"}, "spec": {"resource": {"resource": "crontabs", "group": "a.b"}}}


@pytest.mark.parametrize(
    ("resource", "start"),
    [
        ({}, []),
        ({"group": None}, []),
        ({"resource": None}, ["spec.resource.resource: Required value: resource is required to be set"]),
        ({"resource": "A"}, ['spec.resource.resource: Invalid value: "A": a DNS-1035 label']),
        ({"group": "A"}, ['spec.resource.group: Invalid value: "A": a lowercase RFC 1123 subdomain']),
    ],
)
def test_create(resource: dict[str, Any], start: list[str]) -> None:
    found = created(RESOURCE, GOOD, {"spec": {"resource": resource}})
    assert [error.partition(" must consist")[0] for error in found] == start


def test_the_resource_stays() -> None:
    (found,) = updated(RESOURCE, GOOD, {"spec": {"resource": {"resource": "other"}}})
    assert found.startswith("spec: Invalid value: ")
    assert found.endswith(": field is immutable")


def _condition(kind: str, status: str = "True") -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": "R", "lastTransitionTime": "2026-01-01T00:00:00Z"}


RUNNING, DONE, FAILED = _condition("Running"), _condition("Succeeded"), _condition("Failed")


@pytest.mark.parametrize(
    ("before", "status", "wrong"),
    [
        ({}, {"resourceVersion": "5", "conditions": [RUNNING]}, []),
        ({"resourceVersion": "5"}, {"conditions": [DONE]}, []),
        ({"resourceVersion": "5"}, {"resourceVersion": "6"}, ["field is immutable"]),
        ({}, {"resourceVersion": "x"}, ["resource version is not well formed: x"]),
        ({}, {"conditions": [DONE, FAILED]}, ["Both success and failed conditions cannot be true at the same time"]),
        ({}, {"conditions": [DONE, RUNNING]}, ["Running condition cannot be true when success condition is true"]),
        ({}, {"conditions": [FAILED, RUNNING]}, ["Running condition cannot be true when failed condition is true"]),
        (
            {"conditions": [DONE]},
            {"conditions": [_condition("Succeeded", "False")]},
            ["Success condition cannot be set to false once it is true"],
        ),
        ({"conditions": [FAILED]}, {"conditions": []}, ["Failed condition cannot be set to false once it is true"]),
        ({}, {"conditions": [{**DONE, "reason": ""}]}, ["Required value: must be set"]),
    ],
)
def test_status(before: dict[str, Any], status: dict[str, Any], wrong: list[str]) -> None:
    found = status_updated(RESOURCE, patched(GOOD, {"status": before}), {"status": status})
    assert len(found) == len(wrong)
    assert all(error.endswith(f": {words}") for error, words in zip(found, wrong, strict=True))
