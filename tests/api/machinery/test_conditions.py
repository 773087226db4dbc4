"""Conditions: when the time of the last transition changes."""

from pilothouse.api.machinery.conditions import (
    condition,
    find,
    has_status,
    holds,
    is_true,
    remove_condition,
    set_condition,
)
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod

THEN, NOW = "1970-01-01T00:00:01Z", 100.0
NOW_TEXT = "1970-01-01T00:01:40Z"


def one(status: str = "True", **more: object) -> JsonObject:
    return {"type": "Ready", "status": status, "lastTransitionTime": THEN, **more}


def test_the_first_time_is_now() -> None:
    conditions: list[JsonObject] = []
    assert set_condition(conditions, condition("Ready", True, "Up", "all is well", observed_generation=3), NOW)
    assert conditions == [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Up",
            "message": "all is well",
            "observedGeneration": 3,
            "lastTransitionTime": NOW_TEXT,
        }
    ]


def test_a_new_reason_keeps_the_time() -> None:
    conditions = [{"type": "Other", "status": "True"}, one(reason="A")]
    assert set_condition(conditions, condition("Ready", "True", "B"), NOW)
    assert conditions[1] == one(reason="B")


def test_a_new_status_takes_the_time() -> None:
    conditions = [one()]
    assert set_condition(conditions, condition("Ready", False), NOW)
    assert conditions == [{"type": "Ready", "status": "False", "lastTransitionTime": NOW_TEXT}]
    assert set_condition(conditions, {**condition("Ready", True), "lastTransitionTime": THEN}, NOW)
    assert conditions == [one()]


def test_nothing_new_changes_nothing() -> None:
    kept = one(lastProbeTime=None)
    conditions = [kept]
    assert not set_condition(conditions, condition("Ready", True), NOW)
    assert conditions[0] is kept


def test_inputs_are_not_changed() -> None:
    old, new = one(), condition("Ready", False)
    set_condition([old], new, NOW)
    assert old == one()
    assert "lastTransitionTime" not in new


def test_finding() -> None:
    conditions = [one("Unknown")]
    assert find(conditions, "Ready") is conditions[0]
    assert find(conditions, "Other") is None
    assert has_status(conditions, "Ready", "Unknown")
    assert not is_true(conditions, "Ready")
    assert is_true([one()], "Ready")


def test_removing() -> None:
    conditions = [one()]
    assert remove_condition(conditions, "Ready")
    assert not remove_condition(conditions, "Ready")
    assert conditions == []


def test_views_are_asked_the_same() -> None:
    pod = Pod({"status": {"conditions": [one()]}})
    assert holds(pod.status.conditions, "Ready")
    assert not holds(pod.status.conditions, "Ready", "False")
    assert not holds(Pod({}).status.conditions, "Ready")
