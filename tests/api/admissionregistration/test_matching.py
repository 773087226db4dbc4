"""Source: pkg/apis/admissionregistration/validation/validation_test.go, v1/defaults_test.go."""

from typing import Any

import pytest

from pilothouse.api.admissionregistration.matching import (
    default_resources,
    validate_conditions,
    validate_resources,
    validate_rule,
)
from pilothouse.api.machinery.field import FieldErrors

RULE: dict[str, Any] = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ({}, []),
        ({"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "scope": "*"}, []),
        ({"operations": []}, ["x.operations: Required value"]),
        (
            {"operations": ["*", "CREATE"]},
            ['x.operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations'],
        ),
        (
            {"operations": ["PATCH"]},
            [
                (
                    'x.operations[0]: Unsupported value: "PATCH": '
                    'supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"'
                )
            ],
        ),
        (
            {"apiGroups": ["*", "a"]},
            ['x.apiGroups: Invalid value: ["*","a"]: if \'*\' is present, must not specify other API groups'],
        ),
        ({"apiGroups": [], "apiVersions": []}, ["x.apiGroups: Required value", "x.apiVersions: Required value"]),
        (
            {"apiVersions": ["*", ""]},
            [
                'x.apiVersions: Invalid value: ["*",""]: if \'*\' is present, must not specify other API versions',
                "x.apiVersions[1]: Required value",
            ],
        ),
        ({"resources": []}, ["x.resources: Required value"]),
        ({"resources": [""]}, ["x.resources[0]: Required value"]),
        (
            {"resources": ["pods/*", "pods/log"]},
            ["x.resources[1]: Invalid value: \"pods/log\": if 'pods/*' is present, must not specify pods/log"],
        ),
        (
            {"resources": ["*/scale", "a/scale"]},
            ["x.resources[1]: Invalid value: \"a/scale\": if '*/scale' is present, must not specify a/scale"],
        ),
        (
            {"resources": ["*/*", "a"]},
            ['x.resources: Invalid value: ["*/*","a"]: if \'*/*\' is present, must not specify other resources'],
        ),
        (
            {"resources": ["*", "a"]},
            [
                (
                    'x.resources: Invalid value: ["*","a"]: '
                    "if '*' is present, must not specify other resources without subresources"
                )
            ],
        ),
        ({"resources": ["*", "a/b"]}, []),
        ({"scope": "Moon"}, ['x.scope: Unsupported value: "Moon": supported values: "*", "Cluster", "Namespaced"']),
    ],
)
def test_rules(rule: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    validate_rule({**RULE, **rule}, errors, "x")
    assert [str(error) for error in errors] == wrong


CONDITION: dict[str, Any] = {"name": "a", "expression": "true"}


@pytest.mark.parametrize(
    ("conditions", "wrong"),
    [
        (None, []),
        ([CONDITION], []),
        ([{**CONDITION, "expression": " "}], ["x[0].expression: Required value"]),
        ([{"expression": "true"}], ["x[0].name: Required value"]),
        ([CONDITION, CONDITION], ['x[1].name: Duplicate value: "a"']),
        (
            [{**CONDITION, "name": f"n{n}"} for n in range(65)],
            ["x: Too many: 65: must have at most 64 items"],
        ),
    ],
)
def test_conditions(conditions: list[dict[str, Any]] | None, wrong: list[str]) -> None:
    errors = FieldErrors()
    validate_conditions(conditions, errors, "x")
    assert [str(error) for error in errors] == wrong


def test_resources() -> None:
    match: dict[str, Any] = {"resourceRules": [{**RULE, "resourceNames": ["a", "a", "b/c"]}]}
    errors = FieldErrors()
    validate_resources({"matchPolicy": "Near", "namespaceSelector": {}}, errors, "x")
    default_resources(match)
    assert match["matchPolicy"] == "Equivalent"
    assert match["objectSelector"] == match["namespaceSelector"] == {}
    assert match["resourceRules"][0]["scope"] == "*"
    validate_resources(match, errors, "y")
    assert [str(error) for error in errors] == [
        'x.matchPolicy: Unsupported value: "Near": supported values: "Equivalent", "Exact"',
        "x.objectSelector: Required value",
        'y.resourceRules[0].resourceNames[1]: Duplicate value: "a"',
        "y.resourceRules[0].resourceNames[2]: Invalid value: \"b/c\": may not contain '/'",
    ]
