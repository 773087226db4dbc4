"""Both kinds of policy and their bindings. Source: pkg/apis/admissionregistration/validation/validation_test.go,
v1/defaults_test.go. *assumed*: the words about operations and mutations of MutatingAdmissionPolicy.
"""

from typing import Any

import pytest

from fakes.judged import created, patched, status_updated
from pilothouse.api.admissionregistration.mutating_admission_policy import RESOURCE as MUTATING
from pilothouse.api.admissionregistration.mutating_admission_policy_binding import RESOURCE as MUTATING_BINDING
from pilothouse.api.admissionregistration.policies import show_param_kind, show_param_ref
from pilothouse.api.admissionregistration.validating_admission_policy import RESOURCE as VALIDATING
from pilothouse.api.admissionregistration.validating_admission_policy_binding import RESOURCE as BINDING

RULE: dict[str, Any] = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
MATCH: dict[str, Any] = {"matchConstraints": {"resourceRules": [RULE]}}
GOOD: dict[str, Any] = {"metadata": {"name": "p"}, "spec": {**MATCH, "validations": [{"expression": "true"}]}}
NOTHING = "Required value: validations or auditAnnotations must contain at least one item"


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"matchConstraints": None}, ["spec.matchConstraints: Required value"]),
        ({"matchConstraints": {"resourceRules": None}}, ["spec.matchConstraints.resourceRules: Required value"]),
        ({"validations": None}, [f"spec.validations: {NOTHING}", f"spec.auditAnnotations: {NOTHING}"]),
        ({"validations": [{}]}, ["spec.validations[0].expression: Required value: expression is not specified"]),
        (
            {"validations": [{"expression": "true", "message": "a\nb", "messageExpression": " ", "reason": "Bad"}]},
            [
                'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
                'spec.validations[0].message: Invalid value: "a\\nb": message must not contain line breaks',
                (
                    'spec.validations[0].reason: Unsupported value: "Bad": '
                    'supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"'
                ),
            ],
        ),
        (
            {"validations": [{"expression": "true", "message": " "}]},
            ['spec.validations[0].message: Invalid value: " ": message must be non-empty if specified'],
        ),
        ({"paramKind": {"apiVersion": "rules.example.com/v1", "kind": "Limit"}}, []),
        (
            {"paramKind": {}},
            ["spec.paramKind.apiVersion: Required value", "spec.paramKind.kind: Required value"],
        ),
        (
            {"paramKind": {"apiVersion": "a/b/c", "kind": "K"}},
            ['spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'],
        ),
        (
            {"paramKind": {"apiVersion": "a/", "kind": "K"}},
            ['spec.paramKind.apiVersion: Invalid value: "a/": version must be specified'],
        ),
        ({"variables": [{"name": "x", "expression": "1"}]}, []),
        (
            {"variables": [{}, {"name": "for", "expression": "1"}]},
            [
                "spec.variables[0].name: Required value: name is not specified",
                "spec.variables[0].expression: Required value: expression is not specified",
                'spec.variables[1].name: Invalid value: "for": name is not a valid CEL identifier',
            ],
        ),
        ({"validations": None, "auditAnnotations": [{"key": "k", "valueExpression": "'a'"}]}, []),
        (
            {"auditAnnotations": [{"key": "k", "valueExpression": ""}, {"key": "k", "valueExpression": "x" * 5121}]},
            [
                "spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not specified",
                "spec.auditAnnotations[1].valueExpression: Required value: must not exceed 5120 bytes in length",
                'spec.auditAnnotations[1].key: Duplicate value: "k"',
            ],
        ),
    ],
)
def test_validating(spec: dict[str, Any], wrong: list[str]) -> None:
    assert created(VALIDATING, GOOD, {"spec": spec}) == wrong


UNKNOWN = "compilation failed: ERROR: <input>:1:1: undeclared reference to 'nobody' (in container '')\n | nobody\n | ^"


@pytest.mark.parametrize(
    ("spec", "path", "wrong"),
    [
        ({"validations": [{"expression": "nobody"}]}, "validations[0].expression", f'"nobody": {UNKNOWN}'),
        (
            {"validations": [{"expression": "'a'"}]},
            "validations[0].expression",
            "\"'a'\": must evaluate to bool but got string",
        ),
        (
            {"validations": [{"expression": "true", "messageExpression": "1"}]},
            "validations[0].messageExpression",
            '"1": must evaluate to string but got int',
        ),
        (
            {"auditAnnotations": [{"key": "k", "valueExpression": " true"}]},
            "auditAnnotations[0].valueExpression",
            '" true": must evaluate to one of [string null_type] but got bool',
        ),
        ({"variables": [{"name": "v", "expression": "nobody"}]}, "variables[0].expression", f'"nobody": {UNKNOWN}'),
        (
            {"matchConditions": [{"name": "c", "expression": " nobody "}]},
            "matchConditions[0].expression",
            f'"nobody": {UNKNOWN}',
        ),
        (
            {"matchConditions": [{"name": "c", "expression": "'a'"}]},
            "matchConditions[0].expression",
            "\"'a'\": must evaluate to bool but got string",
        ),
    ],
)
def test_what_does_not_compile(spec: dict[str, Any], path: str, wrong: str) -> None:
    assert created(VALIDATING, GOOD, {"spec": spec}) == [f"spec.{path}: Invalid value: {wrong}"]


@pytest.mark.parametrize(
    ("spec", "compiles"),
    [
        ({"validations": [{"expression": "params.a == 1"}]}, False),
        ({"paramKind": {"apiVersion": "v1", "kind": "K"}, "validations": [{"expression": "params.a == 1"}]}, True),
        ({"matchConditions": [{"name": "c", "expression": "params.a == 1"}]}, False),
        ({"validations": [{"expression": "variables.v == 1"}]}, False),
        ({"variables": [{"name": "v", "expression": "1"}], "validations": [{"expression": "variables.v == 1"}]}, True),
        (
            {"variables": [{"name": "v", "expression": "1"}], "validations": [{"expression": "variables.v == ''"}]},
            False,
        ),
        ({"variables": [{"name": "v", "expression": "variables.w"}, {"name": "w", "expression": "1"}]}, False),
        (
            {
                "variables": [{"name": "v", "expression": "1"}],
                "matchConditions": [{"name": "c", "expression": "variables.v == 1"}],
            },
            False,
        ),
        ({"validations": [{"expression": "request.userInfo.nothing == ''"}]}, False),
        ({"validations": [{"expression": "namespaceObject.metadata.labels.a == ''"}]}, True),
        ({"validations": [{"expression": "namespaceObject.metadata.managedFields == []"}]}, False),
        ({"validations": [{"expression": "Object{}.a == 1"}]}, False),
    ],
)
def test_what_expressions_know(spec: dict[str, Any], compiles: bool) -> None:
    assert (not created(VALIDATING, GOOD, {"spec": spec})) is compiles


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ({"apiVersion": "A/v1", "kind": "K"}, "apiVersion"),
        ({"apiVersion": "a/1", "kind": "K"}, "apiVersion"),
        ({"apiVersion": "v1", "kind": "1"}, "kind"),
    ],
)
def test_kinds_of_parameters(kind: dict[str, Any], path: str) -> None:
    found = created(VALIDATING, GOOD, {"spec": {"paramKind": kind}})
    assert [error.partition(": ")[0] for error in found] == [f"spec.paramKind.{path}"]


def test_annotations_are_named_after_their_policy() -> None:
    spec = {"auditAnnotations": [{"key": "-", "valueExpression": "'a'"}]}
    (found,) = created(VALIDATING, GOOD, {"spec": spec})
    assert found.startswith('spec.auditAnnotations[0].key: Invalid value: "p/-": ')
    spec = {"auditAnnotations": [{"key": f"k{n}", "valueExpression": "'a'"} for n in range(21)]}
    (found,) = created(VALIDATING, GOOD, {"spec": spec})
    assert found.endswith(": must not have more than 20 auditAnnotations")


def test_defaults() -> None:
    obj = patched(GOOD, {})
    VALIDATING.default(obj)
    assert obj["spec"]["failurePolicy"] == "Fail"
    assert obj["spec"]["matchConstraints"]["matchPolicy"] == "Equivalent"
    binding: dict[str, Any] = {"spec": {"matchResources": {"resourceRules": [{}]}}}
    BINDING.default(binding)
    assert binding["spec"]["matchResources"]["resourceRules"] == [{"scope": "*"}]


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        ({"typeChecking": {"expressionWarnings": [{"fieldRef": "spec.validations[0]", "warning": "w"}]}}, []),
        (
            {"typeChecking": {"expressionWarnings": [{}]}},
            [
                "status.typeChecking.expressionWarnings[0].warning: Required value",
                "status.typeChecking.expressionWarnings[0].fieldRef: Required value",
            ],
        ),
    ],
)
def test_status(status: dict[str, Any], wrong: list[str]) -> None:
    assert status_updated(VALIDATING, GOOD, {"status": status}) == wrong


JSON_PATCH: dict[str, Any] = {"patchType": "JSONPatch", "jsonPatch": {"expression": "[JSONPatch{}]"}}
MUTATING_GOOD: dict[str, Any] = {
    "metadata": {"name": "p"},
    "spec": {**MATCH, "mutations": [JSON_PATCH], "reinvocationPolicy": "Never"},
}
M = "spec.mutations[0]"


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"mutations": []}, ["spec.mutations: Required value: mutations must contain at least one item"]),
        ({"reinvocationPolicy": None}, ["spec.reinvocationPolicy: Required value"]),
        (
            {"reinvocationPolicy": "Always"},
            ['spec.reinvocationPolicy: Unsupported value: "Always": supported values: "IfNeeded", "Never"'],
        ),
        ({"mutations": [{}]}, [f"{M}.patchType: Required value"]),
        (
            {"mutations": [{"patchType": "Magic"}]},
            [f'{M}.patchType: Unsupported value: "Magic": supported values: "ApplyConfiguration", "JSONPatch"'],
        ),
        (
            {"mutations": [{"patchType": "ApplyConfiguration", "jsonPatch": {"expression": "[]"}}]},
            [
                f"{M}.applyConfiguration: Required value: must be specified when patchType is ApplyConfiguration",
                f"{M}.jsonPatch: Forbidden: may not be specified when patchType is ApplyConfiguration",
            ],
        ),
        (
            {"mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "[1]"}}]},
            [f'{M}.applyConfiguration.expression: Invalid value: "[1]": must evaluate to Object but got list(int)'],
        ),
        (
            {"mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": "Object{}"}}]},
            [f'{M}.jsonPatch.expression: Invalid value: "Object{{}}": must evaluate to list(JSONPatch) but got Object'],
        ),
        (
            {"mutations": [{"patchType": "JSONPatch", "jsonPatch": {}}]},
            [f"{M}.jsonPatch.expression: Required value: expression is not specified"],
        ),
        (
            {"matchConstraints": {"resourceRules": [{**RULE, "operations": ["DELETE"]}]}},
            [
                (
                    'spec.matchConstraints.resourceRules[0].operations[0]: Unsupported value: "DELETE": '
                    'supported values: "*", "CONNECT", "CREATE", "UPDATE"'
                )
            ],
        ),
    ],
)
def test_mutating(spec: dict[str, Any], wrong: list[str]) -> None:
    assert created(MUTATING, MUTATING_GOOD, {"spec": spec}) == wrong


PARAMETERS: dict[str, Any] = {"name": "a", "parameterNotFoundAction": "Deny"}


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"paramRef": PARAMETERS, "matchResources": {}}, []),
        ({"policyName": ""}, ["spec.policyName: Required value"]),
        (
            {"paramRef": {**PARAMETERS, "selector": {}}},
            [
                "spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
                "spec.paramRef.selector: Forbidden: name and selector are mutually exclusive",
            ],
        ),
        (
            {"paramRef": {}},
            [
                "spec.paramRef: Required value: one of name or selector must be specified",
                "spec.paramRef.parameterNotFoundAction: Required value",
            ],
        ),
        (
            {"paramRef": {"selector": {}, "parameterNotFoundAction": "Cry"}},
            ['spec.paramRef.parameterNotFoundAction: Unsupported value: "Cry": supported values: "Deny", "Allow"'],
        ),
        (
            {"matchResources": {"matchPolicy": "Near"}},
            ['spec.matchResouces.matchPolicy: Unsupported value: "Near": supported values: "Equivalent", "Exact"'],
        ),
    ],
)
def test_bindings(spec: dict[str, Any], wrong: list[str]) -> None:
    good = {"metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": ["Deny"]}}
    assert created(BINDING, good, {"spec": spec}) == wrong
    assert created(MUTATING_BINDING, good, {"spec": spec}) == wrong


@pytest.mark.parametrize(
    ("actions", "wrong"),
    [
        (["Deny", "Audit"], []),
        ([], ["spec.validationActions: Required value: at least one validation action is required"]),
        (["Warn", "Warn"], ['spec.validationActions[1]: Duplicate value: "Warn"']),
        (
            ["Sing"],
            ['spec.validationActions[0]: Unsupported value: "Sing": supported values: "Audit", "Deny", "Warn"'],
        ),
        (
            ["Deny", "Warn"],
            [
                (
                    'spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn '
                    "(repeating the same validation failure information in the API response and headers serves no "
                    "purpose)"
                )
            ],
        ),
    ],
)
def test_actions(actions: list[str], wrong: list[str]) -> None:
    good = {"metadata": {"name": "b"}, "spec": {"policyName": "p"}}
    assert created(BINDING, good, {"spec": {"validationActions": actions}}) == wrong


def test_cells() -> None:
    assert show_param_kind({"spec": {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}}, 0) == "v1/ConfigMap"
    assert show_param_kind({"spec": {}}, 0) == show_param_ref({"spec": {}}, 0) == "<unset>"
    assert show_param_ref({"spec": {"paramRef": {"name": "a"}}}, 0) == "*/a"
    assert show_param_ref({"spec": {"paramRef": {"selector": {"matchLabels": {"a": "b"}}}}}, 0) == "a=b"
