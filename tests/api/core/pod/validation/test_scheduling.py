"""Rules of what the scheduler reads. Expected texts: pkg/apis/core/validation/validation.go."""

# ruff: noqa: E501 - messages are quoted whole

import pytest

from pilothouse.api.core.pod.validation.scheduling import (
    validate_affinity,
    validate_gates,
    validate_tolerations,
    validate_topology_spread,
)
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
SPREAD: JsonObject = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}


def texts(errors: FieldErrors) -> list[str]:
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"operator": "Exists"}, []),
        ({"key": "a", "value": "b", "effect": "NoSchedule"}, []),
        (
            {"operator": "Equal"},
            [('t[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all '
             'values and all keys"')],
        ),
        (
            {"key": "a", "operator": "Exists", "value": "b"},
            ["t[0].operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'"],
        ),
        (
            {"key": "a", "operator": "X"},
            ['t[0].operator: Unsupported value: "X": supported values: "Equal", "Exists"'],
        ),
        (
            {"key": "a", "effect": "NoSchedule", "tolerationSeconds": 1},
            ["t[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set"],
        ),
        (
            {"key": "a", "effect": "X"},
            ['t[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'],
        ),
    ],
)  # fmt: skip
def test_tolerations(toleration: JsonObject, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_tolerations([toleration], errors, "t")
    assert texts(errors) == expected


def node(requirement: JsonObject, kind: str = "matchExpressions") -> JsonObject:
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{kind: [requirement]}]}}}


NODE = f"a.nodeAffinity.{REQUIRED}.nodeSelectorTerms"


@pytest.mark.parametrize(
    ("affinity", "expected"),
    [
        (node({"key": "a", "operator": "In", "values": ["b"]}), []),
        ({"nodeAffinity": {REQUIRED: {}}}, [f"{NODE}: Required value: must have at least one node selector term"]),
        (
            node({"key": "a", "operator": "In"}),
            [f"{NODE}[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"],
        ),
        (
            node({"key": "a", "operator": "Exists", "values": ["b"]}),
            [(f"{NODE}[0].matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or "
             "'DoesNotExist'")],
        ),
        (
            node({"key": "a", "operator": "Gt", "values": []}),
            [(f"{NODE}[0].matchExpressions[0].values: Required value: must be specified single value when `operator` is 'Lt' "
             "or 'Gt'")],
        ),
        (
            node({"key": "a", "operator": "X"}),
            [f'{NODE}[0].matchExpressions[0].operator: Invalid value: "X": not a valid selector operator'],
        ),
        (
            node({"key": "metadata.uid", "operator": "In", "values": ["b"]}, "matchFields"),
            [f'{NODE}[0].matchFields[0].key: Invalid value: "metadata.uid": not a valid field selector key'],
        ),
        (
            {"nodeAffinity": {PREFERRED: [{"weight": 0, "preference": {}}]}},
            [f"a.nodeAffinity.{PREFERRED}[0].weight: Invalid value: 0: must be in the range 1-100"],
        ),
        (
            {"podAffinity": {PREFERRED: [{"weight": 101, "podAffinityTerm": {"topologyKey": "zone"}}]}},
            [f"a.podAffinity.{PREFERRED}[0].weight: Invalid value: 101: must be in the range 1-100"],
        ),
        (
            {"podAntiAffinity": {REQUIRED: [{"topologyKey": "zone", "matchLabelKeys": ["a"]}]}},
            [(f"a.podAntiAffinity.{REQUIRED}[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not "
             "set")],
        ),
        (
            {"podAffinity": {REQUIRED: [{"topologyKey": "zone", "labelSelector": {}, "matchLabelKeys": ["a"],
                                         "mismatchLabelKeys": ["a"]}]}},
            [(f'a.podAffinity.{REQUIRED}[0].matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and '
             "mismatchLabelKeys")],
        ),
    ],
)  # fmt: skip
def test_affinity(affinity: JsonObject, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_affinity(affinity, errors, "a")
    assert texts(errors) == expected


def test_a_pod_affinity_term_needs_a_topology() -> None:
    errors = FieldErrors()
    validate_affinity({"podAffinity": {REQUIRED: [{"labelSelector": {}}]}}, errors, "a")
    assert str(errors[0]) == f"a.podAffinity.{REQUIRED}[0].topologyKey: Required value: can not be empty"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"maxSkew": 0}, ["s[0].maxSkew: Invalid value: 0: must be greater than zero"]),
        ({"topologyKey": ""}, ["s[0].topologyKey: Required value: can not be empty"]),
        (
            {"whenUnsatisfiable": "X"},
            ['s[0].whenUnsatisfiable: Unsupported value: "X": supported values: "DoNotSchedule", "ScheduleAnyway"'],
        ),
        (
            {"minDomains": 2, "whenUnsatisfiable": "ScheduleAnyway"},
            [("s[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not "
             "ScheduleAnyway")],
        ),
        (
            {"nodeTaintsPolicy": "X"},
            ['s[0].nodeTaintsPolicy: Unsupported value: "X": supported values: "Honor", "Ignore"'],
        ),
        (
            {"matchLabelKeys": ["a"]},
            ["s[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set"],
        ),
    ],
)  # fmt: skip
def test_topology_spread(change: JsonObject, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_topology_spread([{**SPREAD, **change}], errors, "s")
    assert texts(errors) == expected


def test_one_constraint_of_a_kind() -> None:
    errors = FieldErrors()
    validate_topology_spread([SPREAD, SPREAD], errors, "s")
    assert texts(errors) == ['s[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"']


def test_gates() -> None:
    errors = FieldErrors()
    validate_gates({"schedulingGates": [{"name": "a"}, {"name": "a"}], "readinessGates": [{}]}, errors, "spec")
    assert [error.path for error in errors][-1] == "spec.schedulingGates[1]"
    assert str(errors[-1]) == 'spec.schedulingGates[1]: Duplicate value: "a"'
    assert errors[0].path == "spec.readinessGates[0].conditionType"
