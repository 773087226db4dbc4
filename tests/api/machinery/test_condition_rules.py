"""Rules of conditions. Source: TestValidateConditions in apimachinery/pkg/apis/meta/v1/validation."""

from typing import Any

import pytest

from pilothouse.api.machinery.condition_rules import validate_conditions
from pilothouse.api.machinery.field import FieldErrors

GOOD = {"type": "a.b/Good", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "Because_1"}
REASON_WORDS = "a condition reason must start with alphabetic character"


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, []),
        ({"type": ""}, [("type", "name part must be non-empty"), ("type", "name part must consist of")]),
        ({"status": "Maybe"}, [("status", 'supported values: "False", "True", "Unknown"')]),
        ({"observedGeneration": -1}, [("observedGeneration", "must be greater than or equal to zero")]),
        ({"lastTransitionTime": None}, [("lastTransitionTime", "must be set")]),
        ({"reason": ""}, [("reason", "must be set")]),
        ({"reason": "1st"}, [("reason", REASON_WORDS)]),
        ({"reason": "r" * 1025}, [("reason", "may not be more than 1024 bytes")]),
        ({"message": "m" * 32769}, [("message", "may not be more than 32768 bytes")]),
    ],
)
def test_one(changes: dict[str, Any], wrong: list[tuple[str, str]]) -> None:
    errors = FieldErrors()
    validate_conditions([{**GOOD, **changes}], errors, "c")
    assert [error.path for error in errors] == [f"c[0].{field}" for field, _ in wrong]
    assert all(error.detail.startswith(words) for error, (_, words) in zip(errors, wrong, strict=True))


def test_one_of_each_type() -> None:
    errors = FieldErrors()
    validate_conditions([GOOD, GOOD], errors, "c")
    assert [str(error) for error in errors] == ['c[1].type: Duplicate value: "a.b/Good"']
