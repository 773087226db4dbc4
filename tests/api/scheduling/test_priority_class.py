"""PriorityClass. Source: pkg/apis/scheduling/validation/validation_test.go, pkg/apis/scheduling/v1/helpers_test.go."""

from typing import Any

import pytest

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.scheduling.priority_class import RESOURCE

SYSTEM = (
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: "
)


def _errors(name: str, **fields: Any) -> list[str]:
    errors = FieldErrors()
    RESOURCE.validate({"metadata": {"name": name}, **fields}, errors)
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("name", "fields", "wrong"),
    [
        ("high", {"value": 1_000_000_000, "preemptionPolicy": "Never"}, []),
        ("low", {"value": -5}, []),
        (
            "high",
            {"value": 1_000_000_001},
            ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"],
        ),
        ("system-cluster-critical", {"value": 2_000_000_000}, []),
        ("system-node-critical", {"value": 2_000_001_000}, []),
        (
            "system-node-critical",
            {"value": 1},
            [f"{SYSTEM}value of system-node-critical PriorityClass must be 2000001000"],
        ),
        (
            "system-node-critical",
            {"value": 2_000_001_000, "globalDefault": True},
            [f"{SYSTEM}globalDefault of system-node-critical PriorityClass must be false"],
        ),
        ("system-mine", {"value": 1}, [f"{SYSTEM}system-mine is not a known system priority class"]),
        (
            "high",
            {"preemptionPolicy": "Sometimes"},
            [('preemptionPolicy: Unsupported value: "Sometimes": supported values: "PreemptLowerPriority", "Never"')],
        ),
    ],
)
def test_validate(name: str, fields: dict[str, Any], wrong: list[str]) -> None:
    assert _errors(name, **fields) == wrong


def test_default() -> None:
    obj: dict[str, Any] = {"value": 1}
    RESOURCE.default(obj)
    assert obj["preemptionPolicy"] == "PreemptLowerPriority"


def test_update() -> None:
    errors = FieldErrors()
    RESOURCE.validate_update({"value": 2, "preemptionPolicy": "Never"}, {"value": 1}, errors)
    assert [str(error) for error in errors] == [
        "value: Forbidden: may not be changed in an update.",
        'preemptionPolicy: Invalid value: "Never": field is immutable',
    ]


def test_columns() -> None:
    assert [column.name for column in RESOURCE.columns] == ["Value", "Global-Default", "Age", "PreemptionPolicy"]
    assert [column.cell({}, 0) for column in RESOURCE.columns] == [0, False, "<unknown>", ""]
