"""Source: pkg/registry/certificates/certificates/strategy_test.go."""

from typing import Any

import pytest

from pilothouse.api.certificates.certificate_signing_request.strategy import (
    prepare_for_approval,
    prepare_for_status,
    prepare_for_update,
    stamp,
)
from pilothouse.api.machinery.resource import Stamp

OLD: dict[str, Any] = {
    "spec": {"request": "a"},
    "status": {"certificate": "c", "conditions": [{"type": "Approved", "status": "True", "reason": "ok"}]},
}


def _new() -> dict[str, Any]:
    conditions = [{"type": "Approved", "status": "True", "reason": "new"}, {"type": "Failed", "status": "True"}]
    return {"spec": {"request": "b"}, "status": {"certificate": "d", "conditions": conditions}}


def test_the_object_itself_stays() -> None:
    obj = _new()
    prepare_for_update(obj, OLD)
    assert obj == OLD


def test_approval_is_conditions_alone() -> None:
    obj = _new()
    prepare_for_approval(obj, OLD)
    assert obj == {"spec": OLD["spec"], "status": {"certificate": "c", "conditions": _new()["status"]["conditions"]}}


def test_status_leaves_approvals_alone() -> None:
    obj = _new()
    prepare_for_status(obj, OLD)
    assert obj["status"]["certificate"] == "d"
    assert [condition.get("reason") for condition in obj["status"]["conditions"]] == ["ok", None]


def test_who_asks() -> None:
    obj: dict[str, Any] = {"spec": {"username": "root", "uid": "0", "groups": ["x"], "extra": {"a": ["b"]}}}
    stamp(obj, None, Stamp(0.0, "alice", groups=("dev",), extra={"k": ("v",)}))
    assert obj["spec"] == {"username": "alice", "groups": ["dev"], "extra": {"k": ["v"]}}


THEN, NOW = "1970-01-01T00:00:00Z", "1970-01-01T00:01:00Z"


@pytest.mark.parametrize(
    ("condition", "stored", "since"),
    [
        ({"status": "True"}, None, NOW),
        ({"status": "True"}, "True", THEN),
        ({"status": "False"}, "True", NOW),
        ({"status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}, "True", "2026-01-01T00:00:00Z"),
    ],
)
def test_times(condition: dict[str, Any], stored: str | None, since: str) -> None:
    before = [{"type": "Ready", "status": stored, "lastTransitionTime": THEN}] if stored else []
    obj: dict[str, Any] = {"status": {"conditions": [{"type": "Ready", **condition}]}}
    stamp(obj, {"status": {"conditions": before}}, Stamp(60.0, "alice"))
    (found,) = obj["status"]["conditions"]
    assert (found["lastUpdateTime"], found["lastTransitionTime"]) == (NOW, since)
