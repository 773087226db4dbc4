"""PersistentVolume. Source: TestValidatePersistentVolumes, TestValidatePersistentVolumeSourceUpdate and relatives in
pkg/apis/core/validation/validation_test.go.
"""

from typing import Any

import pytest

from fakes.judged import created, updated
from pilothouse.api.core.persistent_volume import RESOURCE

GOOD: dict[str, Any] = {
    "metadata": {"name": "disk"},
    "spec": {
        "capacity": {"storage": "10Gi"},
        "accessModes": ["ReadWriteOnce"],
        "csi": {"driver": "csi.example.com", "volumeHandle": "v"},
    },
}
CSI_ONLY = {"csi": None}
TERMS = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"volumeAttributesClassName": "gold", "nodeAffinity": {"required": TERMS}}, []),
        ({"accessModes": None}, ["spec.accessModes: Required value"]),
        (
            {"accessModes": ["ReadWriteOncePod", "ReadWriteOnce"]},
            ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
        ),
        (
            {"accessModes": ["Sometimes"]},
            [
                (
                    'spec.accessModes: Unsupported value: "Sometimes": supported values: '
                    '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'
                )
            ],
        ),
        (
            {"capacity": None},
            [
                "spec.capacity: Required value",
                'spec.capacity: Unsupported value: null: supported values: "storage"',
            ],
        ),
        (
            {"capacity": {"cpu": "1"}},
            ['spec.capacity: Unsupported value: {"storage":"10Gi","cpu":"1"}: supported values: "storage"'],
        ),
        (
            {"capacity": {"storage": "-1"}},
            [
                "spec.capacity[storage]: Invalid value: -1: must be a valid resource quantity",
                'spec.capacity[storage]: Invalid value: "-1": must be greater than zero',
            ],
        ),
        (
            {"persistentVolumeReclaimPolicy": "Keep"},
            [
                (
                    'spec.persistentVolumeReclaimPolicy: Unsupported value: "Keep": '
                    'supported values: "Delete", "Recycle", "Retain"'
                )
            ],
        ),
        (
            {"volumeMode": "Tape"},
            ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'],
        ),
        (
            {"nodeAffinity": {}},
            ["spec.nodeAffinity.required: Required value: must specify required node constraints"],
        ),
        (CSI_ONLY, ["spec: Required value: must specify a volume type"]),
        (
            {"hostPath": {"path": "/x"}, "cephfs": {"monitors": ["a"]}},
            [
                "spec.cephFS: Forbidden: may not specify more than 1 volume type",
                "spec.csi: Forbidden: may not specify more than 1 volume type",
            ],
        ),
        (
            CSI_ONLY | {"hostPath": {"path": "//"}, "persistentVolumeReclaimPolicy": "Recycle"},
            [("spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'")],
        ),
        (
            CSI_ONLY | {"local": {"path": "/a/../b"}},
            [
                "spec.local.path: Invalid value: \"/a/../b\": must not contain '..'",
                "spec.nodeAffinity: Required value: Local volume requires node affinity",
            ],
        ),
        (
            {"volumeAttributesClassName": ""},
            ["spec.volumeAttributesClassName: Required value: an empty string is disallowed"],
        ),
        (
            CSI_ONLY | {"nfs": {"server": "a", "path": "/b"}, "volumeAttributesClassName": "gold"},
            ["spec.csi: Required value: has to be specified when using volumeAttributesClassName"],
        ),
    ],
)
def test_create(spec: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, {"spec": spec}) == wrong


@pytest.mark.parametrize(
    ("spec", "path"), [({"storageClassName": "A"}, "storageClassName"), ({"volumeAttributesClassName": "A"}, "")]
)
def test_names(spec: dict[str, Any], path: str) -> None:
    found = created(RESOURCE, GOOD, {"spec": spec})
    assert [error.partition(": ")[0] for error in found] == [f"spec.{path or 'volumeAttributesClassName'}"]


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({"persistentVolumeReclaimPolicy": "Delete", "capacity": {"storage": "20Gi"}, "mountOptions": ["ro"]}, []),
        ({"csi": {"controllerExpandSecretRef": {"name": "a", "namespace": "b"}}}, []),
        ({"nodeAffinity": {"required": TERMS}}, []),
        ({"volumeMode": "Block"}, ['volumeMode: Invalid value: "Block": field is immutable']),
    ],
)
def test_update(spec: dict[str, Any], wrong: list[str]) -> None:
    assert updated(RESOURCE, GOOD, {"spec": spec}) == wrong


def test_the_source_stays() -> None:
    (found,) = updated(RESOURCE, GOOD, {"spec": {"csi": {"volumeHandle": "other"}}})
    first, _, rest = found.partition("\n")
    assert first == ("spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation")
    assert '+    "volumeHandle": "other"' in rest


def test_affinity_and_class_stay() -> None:
    good = {**GOOD, "spec": {**GOOD["spec"], "nodeAffinity": {"required": TERMS}, "volumeAttributesClassName": "a"}}
    assert updated(RESOURCE, good, {"spec": {"volumeAttributesClassName": "b"}}) == []
    found = updated(RESOURCE, good, {"spec": {"nodeAffinity": None, "volumeAttributesClassName": None}})
    assert found == [
        "nodeAffinity: Invalid value: null: field is immutable, except for updating from beta label to GA",
        "spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden",
    ]
