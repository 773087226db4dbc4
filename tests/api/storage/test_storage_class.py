"""StorageClass. Source: pkg/apis/storage/validation/validation_test.go, pkg/api/storage/util_test.go."""

from typing import Any

import pytest

from fakes.judged import created, patched, updated
from pilothouse.api.storage.storage_class import RESOURCE

GOOD: dict[str, Any] = {"metadata": {"name": "fast"}, "provisioner": "kubernetes.io/foo", "parameters": {"a": "b"}}
TERM: dict[str, Any] = {"matchLabelExpressions": [{"key": "topology.kubernetes.io/zone", "values": ["a"]}]}


@pytest.mark.parametrize(
    ("patch", "wrong"),
    [
        ({}, []),
        ({"reclaimPolicy": "Retain", "volumeBindingMode": "WaitForFirstConsumer", "allowedTopologies": [TERM]}, []),
        ({"provisioner": None}, ["provisioner: Required value"]),
        ({"provisioner": "Example.com/CSI"}, []),
        ({"parameters": {"": "x"}}, ['parameters: Invalid value: "": field can not be empty.']),
        ({"parameters": {str(n): "" for n in range(513)}}, ["parameters: Too long: may not be more than 512 bytes"]),
        ({"parameters": {"a": "x" * 262144}}, ["parameters: Too long: may not be more than 262144 bytes"]),
        (
            {"reclaimPolicy": "Recycle"},
            ['reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"'],
        ),
        (
            {"volumeBindingMode": "Later"},
            [('volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"')],
        ),
        (
            {"allowedTopologies": [TERM, TERM]},
            ['allowedTopologies[1].matchLabelExpressions: Duplicate value: ""'],
        ),
        (
            {"allowedTopologies": [{"matchLabelExpressions": [{"key": "a"}, {"key": "a", "values": ["b", "b"]}]}]},
            [
                "allowedTopologies[0].matchLabelExpressions[0].values: Required value",
                'allowedTopologies[0].matchLabelExpressions[1].values[1]: Duplicate value: "b"',
                'allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "a"',
            ],
        ),
    ],
)
def test_create(patch: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, patch) == wrong


def test_a_provisioner_is_a_qualified_name() -> None:
    found = created(RESOURCE, GOOD, {"provisioner": "a/b/c"})
    assert [error.partition(": a valid")[0] for error in found] == ['provisioner: Invalid value: "a/b/c"']


@pytest.mark.parametrize(
    ("patch", "wrong"),
    [
        ({"allowVolumeExpansion": True, "mountOptions": ["ro"], "allowedTopologies": [TERM]}, []),
        ({"parameters": {"a": "c"}}, ["parameters: Forbidden: updates to parameters are forbidden."]),
        ({"provisioner": "other"}, ["provisioner: Forbidden: updates to provisioner are forbidden."]),
        ({"reclaimPolicy": "Retain"}, ["reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden."]),
        (
            {"volumeBindingMode": "WaitForFirstConsumer"},
            ['volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable'],
        ),
    ],
)
def test_update(patch: dict[str, Any], wrong: list[str]) -> None:
    assert updated(RESOURCE, GOOD, patch) == wrong


def test_old_labels_are_warned_of() -> None:
    term = {"matchLabelExpressions": [{"key": "a"}, {"key": "beta.kubernetes.io/os", "values": ["linux"]}]}
    assert RESOURCE.warn is not None
    assert RESOURCE.warn(patched(GOOD, {"allowedTopologies": [TERM, term]}), None) == [
        'allowedTopologies[1].matchLabelExpressions[1].key: deprecated since v1.14; use "kubernetes.io/os" instead'
    ]
