"""Node. Sources: TestValidateNode* in pkg/apis/core/validation/validation_test.go, TestSetDefaultNodeStatus*,
TestPrintNode* in pkg/printers/internalversion/printers_test.go. *assumed*: how a duplicate taint is shown.
"""

from typing import Any

import pytest

from pilothouse.api.core.node import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

TAINT = {"key": "a", "value": "b", "effect": "NoSchedule"}


def _errors(obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    errors = FieldErrors()
    RESOURCE.validate(obj, errors)
    if old is not None:
        RESOURCE.validate_update(obj, old, errors)
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({"taints": [TAINT, {**TAINT, "effect": "NoExecute"}], "podCIDRs": ["10.1.0.0/24", "fd00::/64"]}, []),
        ({"taints": [{"key": "a"}]}, ["metadata.taints[0].effect: Required value"]),
        (
            {"taints": [{"key": "a", "effect": "Never"}]},
            [
                (
                    'metadata.taints[0].effect: Unsupported value: "Never": '
                    'supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'
                )
            ],
        ),
        (
            {"taints": [TAINT, TAINT]},
            [
                (
                    'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"b","Effect":"NoSchedule",'
                    '"TimeAdded":null}: taints must be unique by key and effect pair'
                )
            ],
        ),
        (
            {"podCIDRs": ["10.1.0.0/24", "10.2.0.0/24"]},
            [
                (
                    'spec.podCIDRs: Invalid value: ["10.1.0.0/24","10.2.0.0/24"]: '
                    "may specify no more than one CIDR for each IP family"
                )
            ],
        ),
    ],
)
def test_validate(spec: dict[str, Any], wrong: list[str]) -> None:
    assert _errors({"spec": spec}) == wrong


@pytest.mark.parametrize(
    ("new", "old", "wrong"),
    [
        ({"podCIDRs": ["10.1.0.0/24"], "providerID": "x"}, {}, []),
        ({"unschedulable": True, "taints": [TAINT]}, {}, []),
        (
            {"podCIDRs": ["10.2.0.0/24"]},
            {"podCIDRs": ["10.1.0.0/24"]},
            ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'],
        ),
        (
            {"providerID": "y"},
            {"providerID": "x"},
            ['spec.providerID: Forbidden: node updates may not change providerID except from "" to valid'],
        ),
        ({"externalID": "y"}, {"externalID": "x"}, ["spec.externalID: Forbidden: may not be updated"]),
    ],
)
def test_update(new: dict[str, Any], old: dict[str, Any], wrong: list[str]) -> None:
    assert _errors({"spec": new}, {"spec": old}) == wrong


def test_addresses_are_distinct() -> None:
    address = {"type": "InternalIP", "address": "10.0.0.1"}
    errors = FieldErrors()
    RESOURCE.validate_status({"status": {"addresses": [address, address]}}, {}, errors)
    assert [error.path for error in errors] == ["status.addresses[1]"]


def test_default() -> None:
    obj: dict[str, Any] = {"spec": {"podCIDR": "10.1.0.0/24"}, "status": {"capacity": {"cpu": "1"}}}
    RESOURCE.default(obj)
    assert obj["spec"]["podCIDRs"] == ["10.1.0.0/24"]
    assert obj["status"]["allocatable"] == {"cpu": "1"}
    other: dict[str, Any] = {
        "spec": {"podCIDRs": ["10.1.0.0/24"]},
        "status": {"capacity": {}, "allocatable": {"a": "1"}},
    }
    RESOURCE.default(other)
    assert (other["spec"]["podCIDR"], other["status"]["allocatable"]) == ("10.1.0.0/24", {"a": "1"})


def test_amounts() -> None:
    obj: dict[str, Any] = {"status": {"capacity": {"cpu": "2000m", "memory": 1024}}}
    RESOURCE.default(obj)
    assert obj["status"]["capacity"] == obj["status"]["allocatable"] == {"cpu": "2", "memory": "1024"}
    errors = FieldErrors()
    RESOURCE.validate_status({"status": {"capacity": {"cpu": "-1"}, "allocatable": {"pods": "1500m"}}}, {}, errors)
    assert [str(error) for error in errors] == [
        'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
        'status.allocatable.pods: Invalid value: "1500m": must be an integer',
    ]


def test_a_kubelet_registers_with_its_status() -> None:
    obj = {"status": {"phase": "x"}}
    RESOURCE.prepare_for_create(obj)
    assert obj == {"status": {"phase": "x"}}
    RESOURCE.prepare_for_update(obj, {"status": {"phase": "y"}})
    assert obj == {"status": {"phase": "y"}}


READY = {"type": "Ready", "status": "True"}


@pytest.mark.parametrize(
    ("obj", "status", "roles"),
    [
        ({}, "Unknown", "<none>"),
        ({"status": {"conditions": [READY]}}, "Ready", "<none>"),
        ({"status": {"conditions": [{**READY, "status": "Unknown"}]}}, "NotReady", "<none>"),
        ({"status": {"conditions": [READY]}, "spec": {"unschedulable": True}}, "Ready,SchedulingDisabled", "<none>"),
        (
            {
                "metadata": {
                    "labels": {
                        "node-role.kubernetes.io/worker": "",
                        "kubernetes.io/role": "a",
                        "node-role.kubernetes.io/": "",
                    }
                }
            },
            "Unknown",
            "a,worker",
        ),
    ],
)
def test_columns(obj: dict[str, Any], status: str, roles: str) -> None:
    row = {column.name: column.cell(obj, 0) for column in RESOURCE.columns}
    assert (row["Status"], row["Roles"]) == (status, roles)
    assert (row["Internal-IP"], row["OS-Image"], row["Version"]) == ("<none>", "<unknown>", "")


def test_wide_columns() -> None:
    addresses = [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "ExternalIP", "address": "1.2.3.4"}]
    row = {c.name: c.cell({"status": {"addresses": addresses}}, 0) for c in RESOURCE.columns}
    assert (row["Internal-IP"], row["External-IP"]) == ("10.0.0.1", "1.2.3.4")
    assert RESOURCE.selectable_fields["spec.unschedulable"]({"spec": {"unschedulable": True}}) == "true"
    assert RESOURCE.selectable_fields["spec.unschedulable"]({}) == "false"


CONFIG: dict[str, Any] = {"namespace": "kube-system", "name": "c", "kubeletConfigKey": "kubelet"}


@pytest.mark.parametrize(
    ("node", "wrong"),
    [
        ({"spec": {"configSource": {"configMap": CONFIG}}}, []),
        (
            {"spec": {"configSource": {}}},
            [('spec.configSource: Invalid value: {"ConfigMap":null}: exactly one reference subfield must be non-nil')],
        ),
        (
            {"spec": {"configSource": {"configMap": {"uid": "u", "resourceVersion": "1"}}}},
            [
                "spec.configSource.configMap.uid: Forbidden: uid must not be set in spec",
                "spec.configSource.configMap.resourceVersion: Forbidden: resourceVersion must not be set in spec",
                "spec.configSource.configMap.namespace: Required value: namespace must be set",
                "spec.configSource.configMap.name: Required value: name must be set",
                "spec.configSource.configMap.kubeletConfigKey: Required value: kubeletConfigKey must be set",
            ],
        ),
        (
            {"status": {"config": {"active": {"configMap": CONFIG}}}},
            [
                "status.config.active.configMap.uid: Required value: uid must be set in status",
                "status.config.active.configMap.resourceVersion: Required value: resourceVersion must be set in status",
            ],
        ),
    ],
)
def test_configuration_of_former_days(node: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate_update(node, {}, errors)
    assert [str(error) for error in errors] == wrong


def test_warnings() -> None:
    """Source: TestWarningOnUpdateAndCreate in pkg/registry/core/node/strategy_test.go."""
    assert RESOURCE.warn is not None
    assert RESOURCE.warn({"spec": {"podCIDRs": ["10.0.0.0/24"]}}, None) == []
    assert RESOURCE.warn({"spec": {"configSource": {}, "externalID": "x", "podCIDRs": ["FD00::/64"]}}, None) == [
        "spec.configSource: the feature is removed",
        "spec.externalID: this field is deprecated, and is unused by Kubernetes",
        'spec.podCIDRs[0]: IPv6 CIDR value "FD00::/64" should be in RFC 5952 canonical format ("fd00::/64")',
    ]
