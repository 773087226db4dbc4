"""FlowSchema. Source: TestFlowSchemaValidation in pkg/apis/flowcontrol/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.judged import created, status_updated
from pilothouse.api.flowcontrol.flow_schema import RESOURCE

USER: dict[str, Any] = {"kind": "User", "user": {"name": "alice"}}
RESOURCES: dict[str, Any] = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "namespaces": ["*"]}
RULE: dict[str, Any] = {"subjects": [USER], "resourceRules": [RESOURCES]}
GOOD: dict[str, Any] = {
    "metadata": {"name": "mine"},
    "spec": {"priorityLevelConfiguration": {"name": "low"}, "matchingPrecedence": 50, "rules": [RULE]},
}
R = "spec.rules[0]"
VERBS = '"create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"'


@pytest.mark.parametrize(
    ("patch", "wrong"),
    [
        ({}, []),
        ({"spec": {"matchingPrecedence": 0}}, []),
        (
            {"spec": {"matchingPrecedence": -1}},
            ["spec.matchingPrecedence: Invalid value: -1: must be a positive value"],
        ),
        (
            {"spec": {"matchingPrecedence": 10001}},
            ["spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000"],
        ),
        (
            {"spec": {"matchingPrecedence": 1}},
            [
                (
                    "spec.matchingPrecedence: Invalid value: 1: "
                    "only the schema named 'exempt' may have matchingPrecedence 1"
                )
            ],
        ),
        (
            {"spec": {"distinguisherMethod": {"type": "ByMoon"}}},
            [
                (
                    'spec.distinguisherMethod.type: Unsupported value: {"Type":"ByMoon"}: '
                    'supported values: "ByNamespace", "ByUser"'
                )
            ],
        ),
        (
            {"spec": {"priorityLevelConfiguration": {"name": ""}}},
            ["spec.priorityLevelConfiguration.name: Required value: must reference a priority level"],
        ),
    ],
)
def test_schema(patch: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, patch) == wrong


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ({"subjects": []}, [f"{R}.subjects: Required value: subjects must contain at least one value"]),
        (
            {"resourceRules": None},
            [f"{R}: Required value: at least one of resourceRules and nonResourceRules has to be non-empty"],
        ),
        (
            {"subjects": [{"kind": "Robot"}]},
            [f'{R}.subjects[0].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"'],
        ),
        (
            {"subjects": [{"kind": "Group", "user": {"name": "a"}}]},
            [
                f"{R}.subjects[0].group: Required value: group is required when subject kind is 'Group'",
                f"{R}.subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'",
            ],
        ),
        ({"subjects": [{"kind": "User", "user": {"name": ""}}]}, [f"{R}.subjects[0].user.name: Required value"]),
        ({"subjects": [{"kind": "ServiceAccount", "serviceAccount": {"name": "*", "namespace": "a"}}]}, []),
        (
            {"subjects": [{"kind": "ServiceAccount", "serviceAccount": {}}]},
            [
                f"{R}.subjects[0].serviceAccount.name: Required value",
                (
                    f"{R}.subjects[0].serviceAccount.namespace: Required value: "
                    "must specify namespace for service account"
                ),
            ],
        ),
    ],
)
def test_rules(rule: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, {"spec": {"rules": [{**RULE, **rule}]}}) == wrong


@pytest.mark.parametrize(
    ("item", "wrong"),
    [
        ({"clusterScope": True, "namespaces": []}, []),
        ({"verbs": []}, ["verbs: Required value: verbs must contain at least one value"]),
        (
            {"verbs": ["*", "get"]},
            ['verbs: Invalid value: ["*","get"]: if \'*\' is present, must not specify other verbs'],
        ),
        ({"verbs": ["dance"]}, [f'verbs: Unsupported value: ["dance"]: supported values: {VERBS}']),
        ({"apiGroups": []}, ["apiGroups: Required value: resource rules must supply at least one api group"]),
        (
            {"apiGroups": ["*", ""]},
            ['apiGroups: Invalid value: ["*",""]: if \'*\' is present, must not specify other api groups'],
        ),
        ({"resources": []}, ["resources: Required value: resource rules must supply at least one resource"]),
        (
            {"resources": ["*", "a"]},
            ['resources: Invalid value: ["*","a"]: if \'*\' is present, must not specify other resources'],
        ),
        (
            {"namespaces": []},
            [
                (
                    "namespaces: Required value: "
                    "resource rules that are not cluster scoped must supply at least one namespace"
                )
            ],
        ),
        (
            {"namespaces": ["*", "a"]},
            ['namespaces: Invalid value: ["*","a"]: if \'*\' is present, must not specify other namespaces'],
        ),
    ],
)
def test_resources(item: dict[str, Any], wrong: list[str]) -> None:
    rule = {**RULE, "resourceRules": [{**RESOURCES, **item}]}
    found = created(RESOURCE, GOOD, {"spec": {"rules": [rule]}})
    assert [error.removeprefix(f"{R}.resourceRules[0].") for error in found] == wrong


@pytest.mark.parametrize(
    ("urls", "wrong"),
    [
        (["*"], ""),
        (["/", "/healthz", "/api/*"], ""),
        ([], "nonResourceURLs must contain at least one value"),
        (["*", "/a"], "if '*' is present, must not specify other non-resource URLs"),
        ([""], "must not be empty"),
        (["a"], "must start with slash"),
        (["/a b"], "must not contain white-space"),
        (["/a//b"], "must not contain double slash"),
        (["/a*"], "wildcard can only do suffix matching"),
        (["/*/*"], "wildcard can only do suffix matching"),
    ],
)
def test_urls(urls: list[str], wrong: str) -> None:
    rule = {"subjects": [USER], "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": urls}]}
    found = created(RESOURCE, GOOD, {"spec": {"rules": [rule]}})
    assert [error.rpartition(": ")[2] for error in found] == ([wrong] if wrong else [])


def test_names() -> None:
    account = {"kind": "ServiceAccount", "serviceAccount": {"name": "A", "namespace": "B"}}
    rule = {"subjects": [account], "resourceRules": [{**RESOURCES, "namespaces": ["ok", "C"]}]}
    found = created(RESOURCE, GOOD, {"spec": {"rules": [rule], "priorityLevelConfiguration": {"name": "D"}}})
    assert [error.partition(": ")[0] for error in found] == [
        "spec.priorityLevelConfiguration.name",
        f"{R}.subjects[0].serviceAccount.name",
        f"{R}.subjects[0].serviceAccount.namespace",
        f"{R}.resourceRules[0].namespaces[1]",
    ]
    assert "each member of this list must be '*' or a DNS-1123 label; " in found[-1]


def test_the_catch_all_is_fixed() -> None:
    found = created(RESOURCE, GOOD, {"metadata": {"name": "catch-all"}})
    assert [error.rpartition(": ")[2] for error in found] == ["spec of 'catch-all' must equal the fixed value"]


@pytest.mark.parametrize(
    ("types", "wrong"),
    [
        (["Dangling"], []),
        (["Dangling", "Dangling"], ['status.conditions[1].type: Duplicate value: "Dangling"']),
        ([""], ["status.conditions[0].type: Required value: must not be empty"]),
    ],
)
def test_conditions(types: list[str], wrong: list[str]) -> None:
    conditions = [{"type": kind} for kind in types]
    assert status_updated(RESOURCE, GOOD, {"status": {"conditions": conditions}}) == wrong
