"""Source: pkg/api/persistentvolumeclaim/util_test.go, pkg/registry/core/persistentvolumeclaim/strategy_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.persistent_volume_claim.strategy import prepare_for_create, prepare_for_update, warn

CLAIM: dict[str, Any] = {"kind": "PersistentVolumeClaim", "name": "c"}
OTHER: dict[str, Any] = {"apiGroup": "example.com", "kind": "Other", "name": "o"}
FAR: dict[str, Any] = {**CLAIM, "namespace": "n"}


@pytest.mark.parametrize(
    ("spec", "settled"),
    [
        ({}, {}),
        ({"dataSource": CLAIM}, {"dataSource": CLAIM, "dataSourceRef": CLAIM}),
        ({"dataSource": OTHER}, {}),
        ({"dataSourceRef": OTHER}, {"dataSource": OTHER, "dataSourceRef": OTHER}),
        ({"dataSourceRef": FAR}, {"dataSourceRef": FAR}),
    ],
)
def test_one_source_has_two_names(spec: dict[str, Any], settled: dict[str, Any]) -> None:
    obj = {"spec": dict(spec), "status": {"phase": "Bound"}}
    prepare_for_create(obj)
    assert obj == {"spec": settled, "status": {"phase": "Pending"}}


def test_a_stored_source_of_any_kind_is_kept() -> None:
    old = {"spec": {"dataSource": OTHER}, "status": {"phase": "Bound"}}
    new: dict[str, Any] = {"spec": {"dataSource": OTHER}, "status": {}}
    prepare_for_update(new, old)
    assert new == {"spec": {"dataSource": OTHER, "dataSourceRef": OTHER}, "status": {"phase": "Bound"}}


def test_warnings() -> None:
    obj = {
        "metadata": {"annotations": {"volume.beta.kubernetes.io/storage-class": "a"}},
        "spec": {"resources": {"requests": {"storage": "100m"}}},
    }
    assert warn(obj, None) == [
        (
            "metadata.annotations[volume.beta.kubernetes.io/storage-class]: "
            'deprecated since v1.8; use "storageClassName" attribute instead'
        ),
        'spec.resources.requests[storage]: fractional byte value "100m" is invalid, must be an integer',
    ]
    assert warn({"spec": {"resources": {"requests": {"storage": "1Gi"}}}}, None) == []
