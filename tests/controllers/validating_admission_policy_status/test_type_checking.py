"""Source of the cases: typechecking_test.go beside upstream's plugin."""

from functools import cache
from typing import Any

import pytest

from fakes.served import schemas
from pilothouse.api.catalogue import builtin
from pilothouse.api.machinery.cel.types import DYN, INT, STRING, TIMESTAMP, CelType
from pilothouse.controllers.validating_admission_policy_status.type_checking import check_types, type_of_schema

Json = dict[str, Any]


def rule(group: str, resources: str, version: str = "v1") -> Json:
    return {"apiGroups": [group], "apiVersions": [version], "resources": resources.split(",")}


def checked(expression: str, *rules: Json, **spec: Any) -> list[Json]:
    constraints = {"resourceRules": [*rules] or [rule("apps", "deployments")]}
    policy = {"spec": {"matchConstraints": constraints, "validations": [{"expression": expression}], **spec}}
    return check_types(policy, builtin(), schemas())


def unknown(field: str, expression: str, column: int) -> str:
    return f"ERROR: <input>:1:{column}: undefined field '{field}'\n | {expression}\n | {'.' * (column - 1)}^"


@pytest.mark.parametrize(
    "expression",
    [
        "object.spec.replicas > 1",
        "object.metadata.labels.a == 'b'",
        "object.spec.template.spec.containers.all(c, c.image.startsWith('a'))",
        "object.metadata.creationTimestamp < timestamp('2020-01-01T00:00:00Z')",
        "object.spec.strategy.rollingUpdate.maxSurge == 1",
        "object.spec.template.spec.containers[0].resources.limits['cpu'] == '1'",
        "oldObject == null || oldObject.spec.replicas == object.spec.replicas",
        "request.operation == 'CREATE' && namespaceObject.metadata.name == 'a'",
        "authorizer.group('').resource('pods').check('get').allowed()",
    ],
)
def test_what_is_right(expression: str) -> None:
    assert not checked(expression)


def test_a_field_that_the_kind_has_not() -> None:
    text = "object.spec.replica > 1"
    assert checked(text) == [
        {
            "fieldRef": "spec.validations[0].expression",
            "warning": f"apps/v1, Kind=Deployment: {unknown('replica', text, 12)}\n",
        }
    ]


def test_types_that_do_not_go_together() -> None:
    (found,) = checked("object.spec.replicas == '1'")
    assert "found no matching overload for '_==_' applied to '(int, string)'" in found["warning"]


def test_each_kind_is_told_of_in_its_order() -> None:
    text = "object.spec.replicas > 1"
    found = checked(text, rule("", "pods,services"), rule("apps", "deployments"))
    lines = [f"/v1, Kind={kind}: {unknown('replicas', text, 12)}\n" for kind in ("Pod", "Service")]
    assert [one["warning"] for one in found] == ["\n".join(lines)]


def test_messages_are_checked_too() -> None:
    text = "'is ' + object.spec.replica"
    found = checked("true", validations=[{"expression": "true", "messageExpression": text}])
    assert [one["fieldRef"] for one in found] == ["spec.validations[0].messageExpression"]


def test_variables_carry_their_types() -> None:
    variables = [{"name": "n", "expression": "object.spec.replicas"}, {"name": "w", "expression": "object.nothing"}]
    assert not checked("variables.n > 1 && variables.w == 'a'", variables=variables)
    (found,) = checked("variables.n == 'a'", variables=variables)
    assert "'_==_' applied to '(int, string)'" in found["warning"]


def test_parameters() -> None:
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    assert not checked("params.data.a == 'b'", paramKind=kind)
    (found,) = checked("params.nothing == 'b'", paramKind=kind)
    assert "undefined field 'nothing'" in found["warning"]


@pytest.mark.parametrize(
    "rules",
    [
        rule("*", "deployments"),
        rule("apps", "deployments", "*"),
        rule("apps", "*"),
        rule("apps", "deployments/scale"),
        rule("apps", "nothings"),
    ],
)
def test_what_cannot_be_looked_up_is_left_alone(rules: Json) -> None:
    assert not checked("object.nothing == 1", rules)


def test_no_more_than_ten_kinds() -> None:
    plurals = (
        "pods,services,nodes,configmaps,secrets,endpoints,events,limitranges,namespaces,podtemplates,serviceaccounts"
    )
    (found,) = checked("object.nothing == 1", rule("", plurals))
    assert found["warning"].count("Kind=") == 10


@cache
def field(path: str) -> CelType:
    found = type_of_schema(schemas().kind("apps", "v1", "Deployment"))
    for name in path.split("."):
        inner = found.field_type(name)
        assert inner is not None
        found = inner
    return found


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.replicas", INT),
        ("metadata.creationTimestamp", TIMESTAMP),
        ("spec.strategy.rollingUpdate.maxSurge", DYN),
        ("apiVersion", STRING),
    ],
)
def test_types_of_schemas(path: str, expected: CelType) -> None:
    assert field(path) == expected
    assert str(field("metadata.labels")) == "map(string, string)"


def test_a_definition_may_contain_itself() -> None:
    found = type_of_schema(schemas().kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition"))
    assert found.field_type("spec") is not None
    assert found.field_type("nothing") is None
