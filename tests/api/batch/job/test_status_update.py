"""The status of a Job. Source: TestStatusStrategy_ValidateUpdate in pkg/registry/batch/job/strategy_test.go,
TestValidateJobUpdateStatus in pkg/apis/batch/validation/validation_test.go.
"""

from typing import Any

import pytest

from fakes.jobs import job
from pilothouse.api.batch.job import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

START, END, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"
NOT_NEGATIVE = "must be greater than or equal to 0"
CONDITIONS = "status.conditions: Invalid value: "
INDEXED = {"completionMode": "Indexed", "completions": 5, "parallelism": 5}
PER_INDEX = {**INDEXED, "backoffLimitPerIndex": 1}


def _with(*kinds: str, **status: Any) -> dict[str, Any]:
    return {**status, "conditions": [{"type": kind, "status": "True"} for kind in kinds]}


def _complete(*more: str, **status: Any) -> dict[str, Any]:
    return {"startTime": START, "completionTime": END, **_with("SuccessCriteriaMet", "Complete", *more, **status)}


def _failed(*more: str, **status: Any) -> dict[str, Any]:
    return {"startTime": START, **_with("FailureTarget", "Failed", *more, **status)}


CASES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], list[str]]] = [
    ({}, {"startTime": START}, {"startTime": START, "active": 2, "ready": 1, "terminating": 1}, []),
    ({}, {"startTime": START}, _complete(), []),
    ({}, {"startTime": START}, _failed(), []),
    ({}, {}, {"ready": -1}, [f"status.ready: Invalid value: -1: {NOT_NEGATIVE}"]),
    ({}, {}, {"terminating": -1}, [f"status.terminating: Invalid value: -1: {NOT_NEGATIVE}"]),
    (
        {},
        {},
        {"uncountedTerminatedPods": {"succeeded": ["a", "a"], "failed": ["", "a"]}},
        [
            'status.uncountedTerminatedPods.succeeded[1]: Duplicate value: "a"',
            'status.uncountedTerminatedPods.failed[0]: Invalid value: "": must not be empty',
            'status.uncountedTerminatedPods.failed[1]: Duplicate value: "a"',
        ],
    ),
    (
        {},
        {},
        {"startTime": START, "completionTime": END},
        [
            (
                f'status.completionTime: Invalid value: "{END}": '
                "cannot set completionTime when there is no Complete=True condition"
            )
        ],
    ),
    (
        {},
        {},
        _with("SuccessCriteriaMet", "Complete", startTime=START),
        ["status.completionTime: Required value: completionTime is required for Complete jobs"],
    ),
    (
        {},
        {},
        _complete(startTime=END, completionTime=START),
        [f'status.completionTime: Invalid value: "{START}": completionTime cannot be set before startTime'],
    ),
    (
        {},
        {},
        _with("Failed", startTime=START),
        [f"{CONDITIONS}cannot set Failed=True condition without the FailureTarget=true condition"],
    ),
    (
        {},
        {},
        {"startTime": START, "completionTime": END, **_with("Complete")},
        [f"{CONDITIONS}cannot set Complete=True condition without the SuccessCriteriaMet=true condition"],
    ),
    ({}, {}, _complete(active=1), ["status.active: Invalid value: 1: active>0 is invalid for finished job"]),
    (
        {},
        {},
        _failed(terminating=1),
        ["status.terminating: Invalid value: 1: terminating>0 is invalid for finished job"],
    ),
    ({}, {}, _failed(startTime=None), ["status.startTime: Required value: startTime is required for finished job"]),
    (
        {},
        {},
        _failed(uncountedTerminatedPods={"failed": ["a"]}),
        [
            (
                'status.uncountedTerminatedPods: Invalid value: {"Succeeded":null,"Failed":["a"]}: '
                "uncountedTerminatedPods needs to be empty for finished job"
            )
        ],
    ),
    ({}, {}, {"active": 1, "ready": 2}, ["status.ready: Invalid value: 2: cannot set more ready pods than active"]),
    (
        INDEXED,
        {},
        {"completedIndexes": "7"},
        ['status.completedIndexes: Invalid value: "7": error parsing completedIndexes: too large index: "7"'],
    ),
    (INDEXED, {"completedIndexes": "7"}, {"completedIndexes": "7", "active": 1}, []),
    (
        {},
        {},
        {"completedIndexes": "0"},
        [
            (
                'status.completedIndexes: Invalid value: "0": '
                "cannot set non-empty completedIndexes when non-indexed completion mode"
            )
        ],
    ),
    (
        INDEXED,
        {},
        {"failedIndexes": "1"},
        [
            (
                'status.failedIndexes: Invalid value: "1": '
                "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
            )
        ],
    ),
    (
        PER_INDEX,
        {},
        {"failedIndexes": "9"},
        ['status.failedIndexes: Invalid value: "9": error parsing failedIndexes: too large index: "9"'],
    ),
    (
        PER_INDEX,
        {},
        {"failedIndexes": "1-3", "completedIndexes": "0,2"},
        ['status.failedIndexes: Invalid value: "1-3": failedIndexes and completedIndexes overlap at index: 2'],
    ),
    ({}, {"failed": 3}, {"failed": 2}, ["status.failed: Invalid value: 2: cannot decrease the failed counter"]),
    ({}, {"succeeded": 3}, {}, ["status.succeeded: Invalid value: 0: cannot decrease the succeeded counter"]),
    (INDEXED, {"succeeded": 3}, {"succeeded": 2}, []),
    (
        {},
        _complete(),
        _complete(completionTime=LATER),
        [f'status.completionTime: Invalid value: "{LATER}": completionTime cannot be mutated'],
    ),
    (
        {},
        {"startTime": START},
        {"startTime": END},
        ["status.startTime: Required value: startTime cannot be removed for unsuspended job"],
    ),
    ({"suspend": True}, {"startTime": START}, {}, []),
    (
        {},
        _with("FailureTarget", startTime=START),
        {"startTime": START},
        [f"{CONDITIONS}cannot disable the terminal FailureTarget=True condition"],
    ),
    (
        {},
        _with("SuccessCriteriaMet"),
        {},
        [f"{CONDITIONS}cannot disable the SuccessCriteriaMet=True condition"],
    ),
    (
        {},
        {"startTime": START, "completionTime": END, **_with("Complete")},
        _complete(),
        [f"{CONDITIONS}cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"],
    ),
]


@pytest.mark.parametrize(("spec", "old", "new", "wrong"), CASES, ids=[str(number) for number in range(len(CASES))])
def test_status(spec: dict[str, Any], old: dict[str, Any], new: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate_status({**job(**spec), "status": new}, {**job(**spec), "status": old}, errors)
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(
    ("new", "wrong"),
    [
        (_complete("Failed", "FailureTarget"), "cannot set Complete=True and Failed=true conditions"),
        (_complete("FailureTarget"), "cannot set Complete=True and FailureTarget=true conditions"),
        (_failed("SuccessCriteriaMet"), "cannot set SuccessCriteriaMet=True and Failed=true conditions"),
        (_failed("SuccessCriteriaMet"), "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"),
    ],
)
def test_conditions_that_exclude_each_other(new: dict[str, Any], wrong: str) -> None:
    errors = FieldErrors()
    RESOURCE.validate_status({**job(), "status": new}, job(), errors)
    assert wrong in [error.detail for error in errors]


def test_a_success_policy_is_what_a_job_completes_by() -> None:
    spec = {**INDEXED, "successPolicy": {"rules": [{"succeededCount": 1}]}}
    errors = FieldErrors()
    new = {"startTime": START, "completionTime": END, **_with("Complete")}
    RESOURCE.validate_status({**job(**spec), "status": new}, {**job(**spec), "status": new}, errors)
    assert [error.detail for error in errors] == [
        "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
    ]
