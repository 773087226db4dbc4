"""Sources of PersistentVolumes. Source: pkg/apis/core/validation/validation_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.persistent_volume.sources import SOURCES, validate_iscsi_length
from pilothouse.api.machinery.field import FieldErrors


@pytest.mark.parametrize(
    ("kind", "source", "wrong"),
    [
        ("gcePersistentDisk", {"pdName": "a", "partition": 1}, []),
        (
            "glusterfs",
            {"path": "p", "endpoints": "e", "endpointsNamespace": ""},
            [
                (
                    'x.endpointsNamespace: Invalid value: "": '
                    "if the endpointnamespace is set, it must be a valid namespace name"
                )
            ],
        ),
        ("glusterfs", {"endpointsNamespace": "n"}, ["x.endpoints: Required value", "x.path: Required value"]),
        (
            "cinder",
            {"secretRef": {}},
            [
                "x.volumeID: Required value",
                "x.secretRef.name: Required value",
                "x.secretRef.namespace: Required value",
            ],
        ),
        (
            "iscsi",
            {"targetPortal": "p", "iqn": "iqn.2015-02.example.com:test", "secretRef": {}},
            ["x.secretRef.name: Required value"],
        ),
        ("azureFile", {"secretName": "s", "shareName": "a"}, []),
        (
            "azureFile",
            {"secretName": "s", "shareName": "a", "secretNamespace": ""},
            ["x.secretNamespace: Required value"],
        ),
        ("local", {}, ["x.path: Required value"]),
        ("storageos", {}, ["x.volumeName: Required value"]),
        ("storageos", {"volumeName": "a", "volumeNamespace": "b"}, []),
        (
            "csi",
            {"nodeExpandSecretRef": {"name": "a"}},
            [
                "x.driver: Required value",
                "x.volumeHandle: Required value",
                "x.nodeExpandSecretRef.namespace: Required value",
            ],
        ),
    ],
)
def test_source(kind: str, source: dict[str, Any], wrong: list[str]) -> None:
    errors = FieldErrors()
    SOURCES[kind](source, errors, "x")
    assert [str(error) for error in errors if "RFC 1123" not in error.detail] == wrong


@pytest.mark.parametrize(("initiator", "count"), [("iqn.2015-02.example.com:init", 1), (None, 0)])
def test_the_name_on_the_node_is_short(initiator: str | None, count: int) -> None:
    errors = FieldErrors()
    validate_iscsi_length({"targetPortal": "127.0.0.1", "initiatorName": initiator}, "v" * 60, errors, "x")
    assert [error.path for error in errors] == ["x.targetportal"] * count
