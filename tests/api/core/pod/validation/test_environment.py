"""Rules of environment variables. Expected texts: pkg/apis/core/validation/validation.go."""

# ruff: noqa: E501 - messages are quoted whole

import pytest

from pilothouse.api.core.pod.validation.environment import validate_env, validate_env_from
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

FIELDS = (
    '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", '
    '"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"'
)
RESOURCES = (
    '"limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", '
    '"requests.memory"'
)


def from_field(path: str, version: str = "v1") -> JsonObject:
    return {"name": "A", "valueFrom": {"fieldRef": {"apiVersion": version, "fieldPath": path}}}


def from_resource(resource: str, divisor: str = "0") -> JsonObject:
    return {"name": "A", "valueFrom": {"resourceFieldRef": {"resource": resource, "divisor": divisor}}}


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ({"name": "A", "value": "x"}, []),
        ({"name": "any printable-text."}, []),
        ({}, ["env[0].name: Required value"]),
        (
            {"name": "a=b"},
            [('env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII '
             "characters other than '='")],
        ),
        (
            {"name": "A", "valueFrom": {}},
            [('env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, '
             "`configMapKeyRef` or `secretKeyRef`")],
        ),
        (
            {**from_field("metadata.name"), "value": "x"},
            ['env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
        ),
        (
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}, "configMapKeyRef": {"name": "s", "key": "k"}}},
            ['env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time'],
        ),
        (
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}},
            ["env[0].valueFrom.secretKeyRef.key: Required value"],
        ),
        (from_field("metadata.name"), []),
        (from_field("metadata.labels['a.b/c']"), []),
        (from_field("metadata.annotations['A']"), []),
        (
            from_field("status.phase"),
            [f'env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: {FIELDS}'],
        ),
        (
            from_field("spec.bogus"),
            [('env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.bogus": error converting fieldPath: field label '
             "not supported: spec.bogus")],
        ),
        (
            from_field("metadata.name['x']"),
            [("env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"metadata.name['x']\": error converting fieldPath: "
             "field label does not support subscript: metadata.name['x']")],
        ),
        (from_resource("limits.cpu", "1m"), []),
        (from_resource("requests.hugepages-2Mi", "1Mi"), []),
        (
            from_resource("limits.disk"),
            [f'env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.disk": supported values: {RESOURCES}'],
        ),
        (
            from_resource("limits.cpu", "2"),
            [('env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are '
             "supported with the cpu resource")],
        ),
        (
            from_resource("limits.memory", "2"),
            [('env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.memory": only divisor\'s values 1, 1k, 1M, '
             "1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource")],
        ),
    ],
)  # fmt: skip
def test_env(variable: JsonObject, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_env([variable], errors, "env")
    assert [str(error) for error in errors] == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"configMapRef": {"name": "a"}}, []),
        ({}, ['envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`']),
        ({"secretRef": {}}, ["envFrom[0].secretRef.name: Required value"]),
        (
            {"secretRef": {"name": "a"}, "configMapRef": {"name": "a"}},
            ['envFrom: Invalid value: "": may not have more than one field specified at a time'],
        ),
    ],
)
def test_env_from(source: JsonObject, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_env_from([source], errors, "envFrom")
    assert [str(error) for error in errors] == expected
