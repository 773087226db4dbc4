"""ResourceClaim, its template, DeviceClass, DeviceTaintRule. Source: pkg/apis/resource/validation/*_test.go."""

from typing import Any

import pytest

from fakes.judged import created, patched, status_updated, updated
from pilothouse.api.machinery.resource import Stamp
from pilothouse.api.resource.device_class import RESOURCE as CLASS
from pilothouse.api.resource.device_taint_rule import RESOURCE as RULE
from pilothouse.api.resource.resource_claim import RESOURCE as CLAIM
from pilothouse.api.resource.resource_claim_template import RESOURCE as TEMPLATE

SPEC: dict[str, Any] = {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "gpu"}}]}}
NAME = {"metadata": {"name": "x"}}


def test_a_claim_stays() -> None:
    good = {**NAME, "spec": SPEC}
    assert created(CLAIM, good, {}) == []
    assert updated(CLAIM, good, {"metadata": {"labels": {"a": "b"}}}) == []
    (found,) = updated(CLAIM, good, {"spec": {"devices": {"requests": []}}})
    assert found.startswith("spec: Invalid value: ")
    assert found.endswith(": field is immutable")


def test_a_template_is_a_claim() -> None:
    good: dict[str, Any] = {**NAME, "spec": {"spec": SPEC, "metadata": {"labels": {"a": "b"}}}}
    assert created(TEMPLATE, good, {}) == []
    found = created(TEMPLATE, good, {"spec": {"spec": {"devices": {"requests": [{"name": "r"}]}}}})
    assert [error.partition(": ")[0] for error in found] == ["spec.spec.devices.requests[0]"]
    found = created(TEMPLATE, good, {"spec": {"metadata": {"labels": {"-": ""}, "annotations": {"-": ""}}}})
    assert [error.partition(": ")[0] for error in found] == ["spec.metadata.annotations", "spec.metadata.labels"]
    (immutable,) = updated(TEMPLATE, good, {"spec": {"metadata": {"labels": {"c": "d"}}}})
    assert immutable.endswith(": field is immutable")


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"selectors": [{}]}, ["spec.selectors[0].cel: Required value"]),
        ({"extendedResourceName": "example.com/gpu"}, []),
        (
            {"extendedResourceName": "cpu"},
            ['spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name'],
        ),
    ],
)
def test_classes(spec: dict[str, Any], wrong: list[str]) -> None:
    assert created(CLASS, {**NAME, "spec": {}}, {"spec": spec}) == wrong
    assert updated(CLASS, {**NAME, "spec": {}}, {"spec": spec}) == wrong


GOOD_RULE: dict[str, Any] = {
    **NAME,
    "spec": {"deviceSelector": {"driver": "a.b"}, "taint": {"key": "a", "effect": "None"}},
}


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"deviceSelector": {"driver": "A_"}}, "spec.deviceSelector.driver"),
        ({"deviceSelector": {"pool": "A"}}, "spec.deviceSelector.pool"),
        ({"deviceSelector": {"device": "A"}}, "spec.deviceSelector.device"),
        ({"taint": {"effect": None}}, "spec.taint.effect"),
    ],
)
def test_rules(spec: dict[str, Any], path: str) -> None:
    assert created(RULE, GOOD_RULE, {}) == []
    assert [error.partition(": ")[0] for error in created(RULE, GOOD_RULE, {"spec": spec})] == [path]


def test_status_and_time_of_a_rule() -> None:
    condition = {"type": "A", "status": "True", "reason": "R", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    conditions = [{**condition, "type": f"A{n}"} for n in range(9)]
    assert status_updated(RULE, GOOD_RULE, {"status": {"conditions": conditions[:8]}}) == []
    assert status_updated(RULE, GOOD_RULE, {"status": {"conditions": conditions}}) == [
        "status.conditions: Too many: 9: must have at most 8 items"
    ]
    obj = patched(GOOD_RULE, {})
    assert RULE.stamp is not None
    RULE.stamp(obj, None, Stamp(60.0, "admin"))
    assert obj["spec"]["taint"]["timeAdded"] == "1970-01-01T00:01:00Z"
