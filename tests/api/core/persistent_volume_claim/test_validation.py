"""PersistentVolumeClaim. Source: testValidatePVC, TestValidatePersistentVolumeClaimUpdate and relatives in
pkg/apis/core/validation/validation_test.go.
"""

from typing import Any

import pytest

from fakes.judged import created, patched, status_updated, updated
from pilothouse.api.core.persistent_volume_claim import RESOURCE
from pilothouse.api.core.persistent_volume_claim.validation import CLASS_ANNOTATION

GOOD: dict[str, Any] = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}},
    "status": {"phase": "Pending"},
}
SNAPSHOT = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "s"}


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"storageClassName": "", "volumeAttributesClassName": "", "selector": {"matchLabels": {"a": "b"}}}, []),
        ({"accessModes": []}, ["spec.accessModes: Required value: at least 1 access mode is required"]),
        (
            {"accessModes": ["ReadWriteOncePod", "ReadOnlyMany"]},
            ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
        ),
        ({"resources": None}, ["spec.resources[storage]: Required value"]),
        (
            {"resources": {"requests": {"storage": "0"}}},
            ['spec.resources[storage]: Invalid value: "0": must be greater than zero'],
        ),
        (
            {"volumeMode": "Tape"},
            ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'],
        ),
        ({"dataSource": SNAPSHOT}, []),
        ({"dataSourceRef": {"apiGroup": "a.b", "kind": "Anything", "name": "x"}}, []),
        ({"dataSourceRef": {**SNAPSHOT, "namespace": "other"}}, []),
        (
            {"dataSourceRef": {"kind": "Pod"}},
            [
                "spec.dataSource.name: Required value",
                (
                    'spec.dataSource: Invalid value: "Pod": '
                    "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
                ),
                "spec.dataSourceRef.name: Required value",
                (
                    'spec.dataSourceRef: Invalid value: "Pod": '
                    "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
                ),
            ],
        ),
        (
            {"dataSource": SNAPSHOT, "dataSourceRef": {**SNAPSHOT, "name": "t"}},
            ['spec: Invalid value: "spec.dataSource": must match dataSourceRef'],
        ),
        (
            {"dataSource": SNAPSHOT, "dataSourceRef": {**SNAPSHOT, "namespace": "n"}},
            [
                (
                    'spec: Invalid value: "spec.dataSource": '
                    "may not be specified when dataSourceRef.namespace is specified"
                )
            ],
        ),
    ],
)
def test_create(spec: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, {"spec": spec}) == wrong


@pytest.mark.parametrize(
    ("spec", "paths"),
    [
        ({"storageClassName": "A"}, ["spec.storageClassName"]),
        ({"volumeAttributesClassName": "A"}, ["spec.volumeAttributesClassName"]),
        ({"selector": {"matchLabels": {"-": ""}}}, ["spec.selector.matchLabels"]),
        ({"dataSourceRef": {**SNAPSHOT, "namespace": "A"}}, ["spec.dataSourceRef.namespace"]),
        (
            {"dataSourceRef": {"apiGroup": "A", "kind": "K", "name": "n"}},
            ["spec.dataSource.apiGroup", "spec.dataSourceRef.apiGroup"],
        ),
    ],
)
def test_names(spec: dict[str, Any], paths: list[str]) -> None:
    assert [error.partition(": ")[0] for error in created(RESOURCE, GOOD, {"spec": spec})] == paths


BOUND = patched(GOOD, {"spec": {"volumeName": "pv"}, "status": {"phase": "Bound", "capacity": {"storage": "8Gi"}}})
IMMUTABLE = (
    "spec: Forbidden: spec is immutable after creation except resources.requests and "
    "volumeAttributesClassName for bound claims"
)


def _sized(size: str) -> dict[str, Any]:
    return {"spec": {"resources": {"requests": {"storage": size}}}}


@pytest.mark.parametrize(
    ("good", "patch", "wrong"),
    [
        (GOOD, {"metadata": {"labels": {"a": "b"}}}, []),
        (GOOD, {"spec": {"volumeName": "pv"}}, []),
        (BOUND, {"spec": {"volumeName": "other"}}, [IMMUTABLE]),
        (GOOD, {"spec": {"accessModes": ["ReadWriteMany"]}}, [IMMUTABLE]),
        (GOOD, _sized("20Gi"), [IMMUTABLE]),
        (BOUND, _sized("20Gi"), []),
        (BOUND, _sized("9Gi"), []),
        (
            BOUND,
            _sized("8Gi"),
            ["spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"],
        ),
        (GOOD, {"spec": {"storageClassName": "fast"}}, []),
        (patched(GOOD, {"spec": {"storageClassName": "a"}}), {"spec": {"storageClassName": "b"}}, [IMMUTABLE]),
        (
            GOOD,
            {"spec": {"volumeMode": "Block"}},
            [IMMUTABLE, 'volumeMode: Invalid value: "Block": field is immutable'],
        ),
        (GOOD, {"spec": {"volumeAttributesClassName": "gold"}}, []),
        (
            patched(GOOD, {"spec": {"volumeAttributesClassName": "gold"}}),
            {"spec": {"volumeAttributesClassName": None}},
            ["spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden"],
        ),
        (
            patched(GOOD, {"spec": {"volumeAttributesClassName": "gold"}}),
            {"spec": {"volumeAttributesClassName": ""}},
            [("spec.volumeAttributesClassName: Forbidden: update from non-nil value to an empty string is forbidden")],
        ),
    ],
)
def test_update(good: dict[str, Any], patch: dict[str, Any], wrong: list[str]) -> None:
    assert [error.partition("\n")[0] for error in updated(RESOURCE, good, patch)] == wrong


ANNOTATED = patched(GOOD, {"metadata": {"annotations": {CLASS_ANNOTATION: "fast"}}})


@pytest.mark.parametrize(
    ("patch", "wrong"),
    [
        ({"spec": {"storageClassName": "fast"}}, []),
        ({"spec": {"storageClassName": "fast"}, "metadata": {"annotations": {CLASS_ANNOTATION: None}}}, []),
        ({"spec": {"storageClassName": "slow"}}, [IMMUTABLE]),
        (
            {"metadata": {"annotations": {CLASS_ANNOTATION: "slow"}}},
            [f'metadata.annotations[{CLASS_ANNOTATION}]: Invalid value: "slow": field is immutable'],
        ),
    ],
)
def test_the_class_moves_to_its_field(patch: dict[str, Any], wrong: list[str]) -> None:
    assert [error.partition("\n")[0] for error in updated(RESOURCE, ANNOTATED, patch)] == wrong


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        ({"phase": "Bound", "capacity": {"storage": "10Gi"}}, []),
        (
            {"capacity": {"storage": "-1"}},
            ["status.capacity[storage]: Invalid value: -1: must be a valid resource quantity"],
        ),
        (
            {
                "allocatedResources": {"storage": "1Gi", "example.com/a": "1"},
                "allocatedResourceStatuses": {"storage": "NodeResizePending"},
            },
            [],
        ),
        (
            {"allocatedResources": {"cpu": "1", "storage": "-1"}},
            [
                'status.allocatedResources: Unsupported value: "cpu": supported values: "storage"',
                "status.allocatedResources[storage]: Invalid value: -1: must be a valid resource quantity",
            ],
        ),
        (
            {"allocatedResourceStatuses": {"storage": "Growing"}},
            [
                (
                    'status.allocatedResourceStatus: Unsupported value: "storage": supported values: '
                    '"ControllerResizeFailed", "ControllerResizeInProgress", "NodeResizeFailed", '
                    '"NodeResizeInProgress", "NodeResizePending"'
                )
            ],
        ),
    ],
)
def test_status(status: dict[str, Any], wrong: list[str]) -> None:
    assert status_updated(RESOURCE, GOOD, {"status": status}) == wrong
