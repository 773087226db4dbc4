"""What a PersistentVolume begins with, and what is said of old ones. Source: pkg/api/persistentvolume/util_test.go."""

from typing import Any

import pytest

from pilothouse.api.core.persistent_volume import RESOURCE
from pilothouse.api.machinery.resource import Stamp

NOW, LATER = Stamp(0.0, "alice"), Stamp(60.0, "alice")
THEN, SOON = "1970-01-01T00:00:00Z", "1970-01-01T00:01:00Z"


def test_it_begins_pending() -> None:
    obj: dict[str, Any] = {"status": {"phase": "Bound"}}
    RESOURCE.prepare_for_create(obj)
    assert RESOURCE.stamp is not None
    RESOURCE.stamp(obj, None, NOW)
    assert obj["status"] == {"phase": "Pending", "lastPhaseTransitionTime": THEN}


@pytest.mark.parametrize(
    ("status", "since"),
    [
        ({"phase": "Pending", "lastPhaseTransitionTime": THEN}, THEN),
        ({"phase": "Bound", "lastPhaseTransitionTime": THEN}, SOON),
        ({"phase": "Bound"}, SOON),
        ({"phase": "Bound", "lastPhaseTransitionTime": "1970-01-01T00:00:30Z"}, "1970-01-01T00:00:30Z"),
    ],
)
def test_the_time_of_the_phase(status: dict[str, Any], since: str) -> None:
    """Source: TestStatusUpdate in pkg/registry/core/persistentvolume/strategy_test.go."""
    new, old = {"status": status}, {"status": {"phase": "Pending", "lastPhaseTransitionTime": THEN}}
    assert RESOURCE.stamp is not None
    RESOURCE.stamp(new, old, LATER)
    assert new["status"]["lastPhaseTransitionTime"] == since


AFFINITY = {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "beta.kubernetes.io/os"}]}]}}


@pytest.mark.parametrize(
    ("obj", "told"),
    [
        ({"spec": {"csi": {}}}, []),
        (
            {"metadata": {"annotations": {"volume.beta.kubernetes.io/storage-class": "a"}}},
            [
                (
                    "metadata.annotations[volume.beta.kubernetes.io/storage-class]: "
                    'deprecated since v1.8; use "storageClassName" attribute instead'
                )
            ],
        ),
        (
            {"spec": {"persistentVolumeReclaimPolicy": "Recycle", "rbd": {}}},
            [
                (
                    "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. "
                    "Instead, the recommended approach is to use dynamic provisioning."
                ),
                "spec.rbd: deprecated in v1.28, non-functional in v1.31+",
            ],
        ),
        (
            {"spec": {"nodeAffinity": AFFINITY}},
            [
                (
                    "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is "
                    'deprecated since v1.14; use "kubernetes.io/os" instead'
                )
            ],
        ),
    ],
)
def test_warnings(obj: dict[str, Any], told: list[str]) -> None:
    assert RESOURCE.warn is not None
    assert RESOURCE.warn(obj, None) == told
