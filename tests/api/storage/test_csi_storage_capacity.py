"""CSIStorageCapacity. Source: pkg/apis/storage/validation/validation_test.go, pkg/api/storage/util_test.go."""

from typing import Any

import pytest

from fakes.judged import created, patched, updated
from pilothouse.api.storage.csi_storage_capacity import RESOURCE

GOOD: dict[str, Any] = {"metadata": {"name": "x"}, "storageClassName": "fast", "nodeTopology": {}}


@pytest.mark.parametrize(
    ("patch", "wrong"),
    [
        ({}, []),
        ({"capacity": "0", "nodeTopology": {"matchLabels": {"zone": "a"}}}, []),
        ({"capacity": "-1"}, ['capacity: Invalid value: "-1": must be greater than or equal to 0']),
    ],
)
def test_create(patch: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, patch) == wrong


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ({"storageClassName": "A"}, "storageClassName"),
        ({"storageClassName": None}, "storageClassName"),
        ({"nodeTopology": {"matchLabels": {"-": "a"}}}, "nodeTopology.matchLabels"),
    ],
)
def test_names(patch: dict[str, Any], path: str) -> None:
    assert [error.partition(": ")[0] for error in created(RESOURCE, GOOD, patch)] == [path]


@pytest.mark.parametrize(
    ("patch", "wrong"),
    [
        ({"capacity": "5Gi", "maximumVolumeSize": "1Gi"}, []),
        ({"storageClassName": "slow"}, ['storageClassName: Invalid value: "slow": field is immutable']),
        (
            {"nodeTopology": {"matchLabels": {"a": "b"}}},
            ['nodeTopology: Invalid value: {"matchLabels":{"a":"b"}}: field is immutable'],
        ),
    ],
)
def test_update(patch: dict[str, Any], wrong: list[str]) -> None:
    assert updated(RESOURCE, GOOD, patch) == wrong


def test_amounts_are_canonical() -> None:
    obj = patched(GOOD, {"capacity": "1024Mi", "maximumVolumeSize": 1000})
    RESOURCE.default(obj)
    assert (obj["capacity"], obj["maximumVolumeSize"]) == ("1Gi", "1k")


def test_old_labels_are_warned_of() -> None:
    topology = {
        "matchLabels": {"beta.kubernetes.io/arch": "amd64"},
        "matchExpressions": [{"key": "failure-domain.beta.kubernetes.io/zone", "operator": "Exists"}],
    }
    assert RESOURCE.warn is not None
    assert RESOURCE.warn({"nodeTopology": topology}, None) == [
        (
            "nodeTopology.matchExpressions[0].key: failure-domain.beta.kubernetes.io/zone is "
            'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
        ),
        ('nodeTopology.matchLabels.beta.kubernetes.io/arch: deprecated since v1.14; use "kubernetes.io/arch" instead'),
    ]
