"""RoleBinding and ClusterRoleBinding.

Source: TestValidate*RoleBinding* in pkg/apis/rbac/validation/validation_test.go, pkg/apis/rbac/v1/defaults.go.
"""

from typing import Any

import pytest

from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.rbac.cluster_role_binding import RESOURCE as CLUSTER
from pilothouse.api.rbac.role_binding import GROUP
from pilothouse.api.rbac.role_binding import RESOURCE as NAMESPACED


def _errors(resource: Resource[Any], **change: Any) -> list[str]:
    obj = {"roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "view"}, **change}
    errors = FieldErrors()
    resource.validate(obj, errors)
    return [str(error) for error in errors]


def test_default() -> None:
    kinds = ("User", "Group", "ServiceAccount", "Robot")
    obj: dict[str, Any] = {"roleRef": {"kind": "Role"}, "subjects": [{"kind": kind} for kind in kinds]}
    NAMESPACED.default(obj)
    assert obj["roleRef"]["apiGroup"] == GROUP
    assert [subject.get("apiGroup") for subject in obj["subjects"]] == [GROUP, GROUP, None, None]


@pytest.mark.parametrize(
    ("role", "wrong"),
    [
        ({"apiGroup": GROUP, "kind": "Role", "name": "a"}, []),
        (
            {"kind": "Role", "name": "a"},
            [f'roleRef.apiGroup: Unsupported value: "": supported values: "{GROUP}"'],
        ),
        (
            {"apiGroup": GROUP, "kind": "Rule", "name": "a"},
            ['roleRef.kind: Unsupported value: "Rule": supported values: "Role", "ClusterRole"'],
        ),
        ({"apiGroup": GROUP, "kind": "Role"}, ["roleRef.name: Required value"]),
        (
            {"apiGroup": GROUP, "kind": "Role", "name": "a/b"},
            ["roleRef.name: Invalid value: \"a/b\": may not contain '/'"],
        ),
    ],
)
def test_role(role: dict[str, str], wrong: list[str]) -> None:
    assert _errors(NAMESPACED, roleRef=role) == wrong


def test_a_cluster_binding_binds_cluster_roles() -> None:
    assert _errors(CLUSTER, roleRef={"apiGroup": GROUP, "kind": "Role", "name": "a"}) == [
        'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'
    ]


@pytest.mark.parametrize(
    ("subject", "wrong"),
    [
        ({"kind": "User", "apiGroup": GROUP, "name": "jane"}, []),
        (
            {"kind": "User", "apiGroup": GROUP},
            ["subjects[0].name: Required value", 'subjects[0].name: Invalid value: "": user name cannot be empty'],
        ),
        (
            {"kind": "Group", "name": "g"},
            [f'subjects[0].apiGroup: Unsupported value: "": supported values: "{GROUP}"'],
        ),
        (
            {"kind": "ServiceAccount", "name": "a", "apiGroup": GROUP},
            [f'subjects[0].apiGroup: Unsupported value: "{GROUP}": supported values: ""'],
        ),
        (
            {"kind": "Robot", "name": "a"},
            ['subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"'],
        ),
    ],
)
def test_subjects(subject: dict[str, str], wrong: list[str]) -> None:
    assert _errors(NAMESPACED, subjects=[subject]) == wrong


def test_service_accounts_of_a_cluster_binding_have_a_namespace() -> None:
    account = {"kind": "ServiceAccount", "name": "a"}
    assert _errors(NAMESPACED, subjects=[account]) == []
    assert _errors(CLUSTER, subjects=[account]) == ["subjects[0].namespace: Required value"]


@pytest.mark.parametrize("resource", [NAMESPACED, CLUSTER])
def test_the_role_stays(resource: Resource[Any]) -> None:
    errors = FieldErrors()
    old = {"roleRef": {"kind": "ClusterRole", "name": "view"}}
    resource.validate_update({"roleRef": {"kind": "ClusterRole", "name": "admin"}}, old, errors)
    assert [error.detail for error in errors] == ["cannot change roleRef"]
    resource.validate_update({**old, "subjects": [{}]}, old, errors)
    assert len(errors) == 1


def test_columns() -> None:
    subjects = [
        {"kind": "User", "name": "u1"},
        {"kind": "Group", "name": "g"},
        {"kind": "User", "name": "u2"},
        {"kind": "ServiceAccount", "namespace": "n", "name": "s"},
    ]
    obj = {"roleRef": {"kind": "Role", "name": "r"}, "subjects": subjects}
    cells = {column.name: column.cell(obj, 0) for column in NAMESPACED.columns if column.name != "Age"}
    assert cells == {"Role": "Role/r", "Users": "u1, u2", "Groups": "g", "ServiceAccounts": "n/s"}
    assert [column.name for column in CLUSTER.columns][1] == "Age"


def test_the_role_never_changes() -> None:
    errors = FieldErrors()
    old = {"roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "view"}}
    NAMESPACED.validate_update({"roleRef": {**old["roleRef"], "name": "edit"}}, old, errors)
    shown = f'{{"APIGroup":"{GROUP}","Kind":"ClusterRole","Name":"edit"}}'
    assert [str(error) for error in errors] == [f"roleRef: Invalid value: {shown}: cannot change roleRef"]
