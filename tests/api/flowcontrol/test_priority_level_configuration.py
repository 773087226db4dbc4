"""PriorityLevelConfiguration. Source: TestPriorityLevelConfigurationValidation in
pkg/apis/flowcontrol/validation/validation_test.go, pkg/apis/flowcontrol/v1/defaults_test.go.
"""

from typing import Any

import pytest

from fakes.judged import created, patched
from pilothouse.api.flowcontrol.priority_level_configuration import RESOURCE

GOOD: dict[str, Any] = {
    "metadata": {"name": "mine"},
    "spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {}}}},
}
L = "spec.limited"
Q = f"{L}.limitResponse.queuing"
EXEMPT: dict[str, Any] = {"metadata": {"name": "exempt"}, "spec": {"type": "Exempt", "limited": None, "exempt": {}}}


def _queuing(**queuing: int) -> dict[str, Any]:
    return {"spec": {"limited": {"limitResponse": {"queuing": queuing}}}}


@pytest.mark.parametrize(
    ("patch", "wrong"),
    [
        ({}, []),
        (EXEMPT, []),
        (patched(EXEMPT, {"spec": {"exempt": {"nominalConcurrencyShares": 10, "lendablePercent": 50}}}), []),
        (
            {"metadata": {"name": "exempt"}},
            [
                "spec.type: Invalid value: \"Limited\": type must be 'Exempt' if and only if name is 'exempt'",
                "spec of 'exempt' except the spec.exempt field must equal the fixed value",
            ],
        ),
        (
            {"spec": {"type": "Exempt"}},
            [
                "spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'",
                f"{L}: Forbidden: must be nil if the type is not Limited",
            ],
        ),
        ({"spec": {"type": "Free"}}, ['spec.type: Unsupported value: "Free": supported values: "Exempt", "Limited"']),
        ({"spec": {"limited": None}}, [f"{L}: Required value: must not be empty when type is Limited"]),
        ({"spec": {"exempt": {}}}, ["spec.exempt: Forbidden: must be nil if the type is Limited"]),
        (
            {"spec": {"limited": {
                "nominalConcurrencyShares": -1, "lendablePercent": 101, "borrowingLimitPercent": -1,
            }}},
            [
                f"{L}.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
                f"{L}.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
                f"{L}.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer",
            ],
        ),
        (
            {"spec": {"limited": {"limitResponse": {"type": "Reject"}}}},
            [f"{Q}: Forbidden: must be nil if limited.limitResponse.type is not Limited"],
        ),
        (
            {"spec": {"limited": {"limitResponse": {"queuing": None}}}},
            [f"{Q}: Required value: must not be empty if limited.limitResponse.type is Limited"],
        ),
        (
            {"spec": {"limited": {"limitResponse": {"type": ""}}}},
            [f'{L}.limitResponse.type: Unsupported value: "": supported values: "Queue", "Reject"'],
        ),
        (
            _queuing(queues=-1),
            [
                f"{Q}.queues: Invalid value: -1: must be positive",
                f"{Q}.handSize: Invalid value: 8: should not be greater than queues (-1)",
            ],
        ),
        (_queuing(queueLengthLimit=-1), [f"{Q}.queueLengthLimit: Invalid value: -1: must be positive"]),
        (_queuing(handSize=-1), [f"{Q}.handSize: Invalid value: -1: must be positive"]),
        (
            _queuing(queues=10000001, handSize=1),
            [f"{Q}.queues: Invalid value: 10000001: must not be greater than 10000000"],
        ),
        (
            _queuing(queues=512, handSize=8),
            [
                (
                    f"{Q}.handSize: Invalid value: 8: "
                    "required entropy bits of deckSize 512 and handSize 8 should not be greater than 60"
                )
            ],
        ),
    ],
)  # fmt: skip
def test_create(patch: dict[str, Any], wrong: list[str]) -> None:
    found = created(RESOURCE, GOOD, patch)
    assert [error.rpartition("}}: ")[2] for error in found] == wrong


def test_default() -> None:
    obj = patched(GOOD, {})
    RESOURCE.default(obj)
    assert obj["spec"]["limited"] == {
        "nominalConcurrencyShares": 30,
        "lendablePercent": 0,
        "limitResponse": {"type": "Queue", "queuing": {"queues": 64, "handSize": 8, "queueLengthLimit": 50}},
    }
    obj = patched(EXEMPT, {})
    RESOURCE.default(obj)
    assert obj["spec"]["exempt"] == {"nominalConcurrencyShares": 0, "lendablePercent": 0}


def test_the_catch_all_is_fixed() -> None:
    limited = {"nominalConcurrencyShares": 5, "limitResponse": {"type": "Reject", "queuing": None}}
    assert created(RESOURCE, GOOD, {"metadata": {"name": "catch-all"}, "spec": {"limited": limited}}) == []
    limited = {"nominalConcurrencyShares": 6, "limitResponse": {"type": "Reject", "queuing": None}}
    found = created(RESOURCE, GOOD, {"metadata": {"name": "catch-all"}, "spec": {"limited": limited}})
    assert [error.rpartition(": ")[2] for error in found] == ["spec of 'catch-all' must equal the fixed value"]
