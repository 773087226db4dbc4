"""ResourceQuota. Source: TestValidateResourceQuota in pkg/apis/core/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.judged import created, status_updated, updated
from pilothouse.api.core.resource_quota import RESOURCE

GOOD: dict[str, Any] = {"metadata": {"name": "q"}, "spec": {"hard": {"cpu": "10", "example.com/gpu": "1"}}}
ME = "spec.scopeSelector.matchExpressions"
ONLY_EXISTS = (
    "must be 'Exist' only operator when scope is any of ResourceQuotaScopeTerminating, "
    "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
    "ResourceQuotaScopeCrossNamespacePodAffinity"
)


def _selector(scope: str, operator: str, *values: str) -> dict[str, Any]:
    requirement: dict[str, Any] = {"scopeName": scope, "operator": operator}
    return {"scopeSelector": {"matchExpressions": [requirement | ({"values": list(values)} if values else {})]}}


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"hard": {"requests.hugepages-2Mi": "2Mi", "count/jobs.batch": "2", "services.nodeports": "0"}}, []),
        (
            {"hard": {"storage": "1"}},
            ['spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota'],
        ),
        (
            {"hard": {"apples": "1"}},
            [
                'spec.hard[apples]: Invalid value: "apples": must be a standard resource type or fully qualified',
                'spec.hard[apples]: Invalid value: "apples": must be a standard resource for quota',
            ],
        ),
        ({"hard": {"pods": "-1"}}, ['spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0']),
        ({"hard": {"pods": "1500m"}}, ['spec.hard[pods]: Invalid value: "1500m": must be an integer']),
        ({"scopes": ["Terminating", "NotBestEffort"]}, []),
        (
            {"scopes": ["BestEffort"]},
            ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
        ),
        (
            {"hard": {"pods": "1", "cpu": None}, "scopes": ["BestEffort", "NotBestEffort"]},
            ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
        ),
        (
            {"hard": {"example.com/gpu": "1", "cpu": None}, "scopes": ["Idle"]},
            ['spec.scopes: Invalid value: ["Idle"]: unsupported scope'],
        ),
        (_selector("PriorityClass", "In", "high"), []),
        (_selector("PriorityClass", "Exists"), []),
        (
            {"hard": {"cpu": None, "persistentvolumeclaims": "1"}, **_selector("VolumeAttributesClass", "In", "gold")},
            [],
        ),
        (
            _selector("PriorityClass", "In"),
            [
                (
                    f"{ME}.values: Required value: "
                    "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                )
            ],
        ),
        (
            _selector("PriorityClass", "DoesNotExist", "a"),
            [
                (
                    f'{ME}.values: Invalid value: ["a"]: '
                    "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector"
                )
            ],
        ),
        (_selector("Terminating", "In", "a"), [f'{ME}.operator: Invalid value: "In": {ONLY_EXISTS}']),
        (
            _selector("PriorityClass", "Is"),
            [f'{ME}.operator: Invalid value: "Is": not a valid selector operator'],
        ),
        (
            {"hard": {"cpu": None}, **_selector("Idle", "Exists")},
            [f'{ME}.scopeName: Invalid value: "Idle": unsupported scope'],
        ),
    ],
)
def test_create(spec: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, {"spec": spec}) == wrong


def test_scopes_stay() -> None:
    good = {**GOOD, "spec": {"hard": {"pods": "1"}, "scopes": ["BestEffort"]}}
    assert updated(RESOURCE, good, {"spec": {"hard": {"pods": "2"}}}) == []
    assert updated(RESOURCE, good, {"spec": {"scopes": ["Terminating"]}}) == [
        'spec.scopes: Invalid value: ["Terminating"]: field is immutable'
    ]


@pytest.mark.parametrize("name", ["hard", "used"])
def test_status(name: str) -> None:
    assert status_updated(RESOURCE, GOOD, {"status": {name: {"cpu": "1"}}}) == []
    assert status_updated(RESOURCE, GOOD, {"status": {name: {"cpu": "-1"}}}) == [
        f'status.{name}[cpu]: Invalid value: "-1": must be greater than or equal to 0'
    ]
