"""Role and ClusterRole. Source: TestValidateRole* in pkg/apis/rbac/validation/validation_test.go."""

from typing import Any

import pytest

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.rbac.cluster_role import RESOURCE as CLUSTER_ROLE
from pilothouse.api.rbac.role import RESOURCE as ROLE


def _errors(resource: Resource[Any], **obj: Any) -> list[str]:
    errors = FieldErrors()
    resource.validate(obj, errors)
    return [str(error) for error in errors]


PODS = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
URLS = {"verbs": ["get"], "nonResourceURLs": ["/healthz"]}
MIXED = "rules cannot apply to both regular resources and non-resource URLs"
NAMESPACED = "namespaced rules cannot apply to non-resource URLs"


@pytest.mark.parametrize(
    ("rule", "role", "cluster_role"),
    [
        (PODS, [], []),
        ({**PODS, "resourceNames": ["a"]}, [], []),
        (URLS, [f'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: {NAMESPACED}'], []),
        (
            {**URLS, "resources": ["pods"]},
            [
                f'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: {NAMESPACED}',
                f'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: {MIXED}',
            ],
            [f'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: {MIXED}'],
        ),
        (
            {},
            [
                "rules[0].verbs: Required value: verbs must contain at least one value",
                "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
                "rules[0].resources: Required value: resource rules must supply at least one resource",
            ],
            None,
        ),
    ],
)
def test_rules(rule: dict[str, Any], role: list[str], cluster_role: list[str] | None) -> None:
    assert _errors(ROLE, rules=[rule]) == role
    assert _errors(CLUSTER_ROLE, rules=[rule]) == (role if cluster_role is None else cluster_role)


def test_aggregation() -> None:
    path = "aggregationRule.clusterRoleSelectors"
    assert _errors(CLUSTER_ROLE, aggregationRule={}) == [
        f"{path}: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil"
    ]
    assert _errors(CLUSTER_ROLE, aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}) == []
    wrong = _errors(CLUSTER_ROLE, aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"-": "b"}}]})
    assert [error.partition(":")[0] for error in wrong] == [f"{path}[0].matchLabels"]


@pytest.mark.parametrize("resource", [ROLE, CLUSTER_ROLE])
def test_names_are_free(resource: Resource[Any]) -> None:
    assert resource.validate_name("system:Node_Reader") == []
    assert resource.validate_name("a/b")


def test_columns() -> None:
    column = ROLE.columns[0]
    assert (column.name, column.type) == ("Created At", "date")
    assert column.cell({"metadata": {"creationTimestamp": "2024-01-01T00:00:00Z"}}, 0) == "2024-01-01T00:00:00Z"
