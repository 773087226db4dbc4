"""Policies of a Job. Source: TestValidateJob in pkg/apis/batch/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.jobs import job
from pilothouse.api.batch.job import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

RULES = "spec.podFailurePolicy.rules"
CODES = f"{RULES}[0].onExitCodes"
SUCCESS = "spec.successPolicy.rules"
CONDITION = {"type": "DisruptionTarget"}


def _rule(**rule: Any) -> dict[str, Any]:
    return {"podFailurePolicy": {"rules": [{"action": "Ignore", **rule}]}}


def _codes(**codes: Any) -> dict[str, Any]:
    return _rule(onExitCodes={"operator": "In", "values": [1], **codes})


def _success(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"completionMode": "Indexed", "completions": 5, "successPolicy": {"rules": list(rules)}}


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        (_codes(containerName="a", values=[1, 2, 200]), []),
        (_rule(onPodConditions=[CONDITION]), []),
        (
            {"podFailurePolicy": {"rules": [{"action": "Count", "onPodConditions": [CONDITION]}] * 21}},
            [f"{RULES}: Too many: 21: must have at most 20 items"],
        ),
        (
            {"podFailurePolicy": {"rules": [{"onPodConditions": [CONDITION]}]}},
            [f'{RULES}[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]'],
        ),
        (
            _rule(action="Panic", onPodConditions=[CONDITION]),
            [
                (f'{RULES}[0].action: Unsupported value: "Panic": '
                'supported values: "Count", "FailIndex", "FailJob", "Ignore"')
            ],
        ),
        (
            _rule(action="FailIndex", onPodConditions=[CONDITION]),
            [f'{RULES}[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set'],
        ),
        (
            _rule(),
            [f"{RULES}[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"],
        ),
        (
            _rule(onPodConditions=[CONDITION], onExitCodes={"operator": "In", "values": [1]}),
            [f"{RULES}[0]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported"],
        ),
        (
            _rule(onPodConditions=[CONDITION] * 21),
            [f"{RULES}[0].onPodConditions: Too many: 21: must have at most 20 items"],
        ),
        (
            _rule(onPodConditions=[{"type": "X", "status": "Maybe"}]),
            [
                (f'{RULES}[0].onPodConditions[0].status: Unsupported value: "Maybe": '
                'supported values: "False", "True", "Unknown"')
            ],
        ),
        (_codes(operator=""), [f'{CODES}.operator: Required value: valid values: ["In" "NotIn"]']),
        (_codes(operator="Is"), [f'{CODES}.operator: Unsupported value: "Is": supported values: "In", "NotIn"']),
        (
            _codes(containerName="z"),
            [
                (f'{CODES}.containerName: Invalid value: "z": '
                "must be one of the container or initContainer names in the pod template")
            ],
        ),
        (_codes(values=[]), [f"{CODES}.values: Invalid value: []: at least one value is required"]),
        (_codes(values=list(range(1, 257))), [f"{CODES}.values: Too many: 256: must have at most 255 items"]),
        (_codes(values=[0]), [f"{CODES}.values[0]: Invalid value: 0: must not be 0 for the In operator"]),
        (_codes(operator="NotIn", values=[0]), []),
        (_codes(values=[1, 1]), [f"{CODES}.values[1]: Duplicate value: 1"]),
        (_codes(values=[2, 1]), [f"{CODES}.values: Invalid value: [2,1]: must be ordered"]),
        (
            {**_codes(), "podReplacementPolicy": "TerminatingOrFailed"},
            ['spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"'],
        ),
        (
            {"podReplacementPolicy": "Never"},
            [
                ('spec.podReplacementPolicy: Unsupported value: "Never": '
                'supported values: "Failed", "TerminatingOrFailed"')
            ],
        ),
        (_success({"succeededIndexes": "0-2", "succeededCount": 3}), []),
        (
            _success(),
            [f"{SUCCESS}: Required value: at least one rules must be specified when the successPolicy is specified"],
        ),
        (_success(*[{"succeededCount": 1}] * 21), [f"{SUCCESS}: Too many: 21: must have at most 20 items"]),
        (
            _success({}),
            [f"{SUCCESS}[0]: Required value: at least one of succeededCount or succeededIndexes must be specified"],
        ),
        (
            _success({"succeededIndexes": "5"}),
            [
                (f'{SUCCESS}[0].succeededIndexes: Invalid value: "5": '
                'error parsing succeededIndexes: too large index: "5"')
            ],
        ),
        (
            _success({"succeededCount": 6}),
            [
                (f"{SUCCESS}[0].succeededCount: Invalid value: 6: "
                "must be less than or equal to 5 (the number of specified completions)")
            ],
        ),
        (
            _success({"succeededIndexes": "0,2", "succeededCount": 3}),
            [
                (f"{SUCCESS}[0].succeededCount: Invalid value: 3: must be less than or equal to 2 "
                "(the number of indexes in the specified succeededIndexes field)")
            ],
        ),
    ],
)  # fmt: skip
def test_policies(spec: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate(job(**spec), errors)
    assert [str(error) for error in errors] == wrong
