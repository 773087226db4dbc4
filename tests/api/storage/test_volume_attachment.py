"""VolumeAttachment. Source: pkg/apis/storage/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.judged import created, status_updated, updated
from pilothouse.api.storage.volume_attachment import RESOURCE

GOOD: dict[str, Any] = {
    "metadata": {"name": "a"},
    "spec": {"attacher": "csi.example.com", "source": {"persistentVolumeName": "pv"}, "nodeName": "node-1"},
    "status": {"attached": False},
}
ONE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
INLINE: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "csi": {"driver": "csi.example.com", "volumeHandle": "v"}}
I = "spec.source.inlineVolumeSpec"  # noqa: E741


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"attacher": ""}, ["spec.attacher: Required value", "spec.attacher: Required value"]),
        ({"source": {"persistentVolumeName": None}}, [f"spec.source: Required value: {ONE}"]),
        ({"source": {"inlineVolumeSpec": INLINE}}, [f"spec.source: Forbidden: {ONE}"]),
        ({"source": {"persistentVolumeName": None, "inlineVolumeSpec": INLINE}}, []),
        (
            {
                "source": {
                    "persistentVolumeName": None,
                    "inlineVolumeSpec": {"capacity": {"storage": "1"}, "csi": None, "nfs": {}, "storageClassName": "x"},
                }
            },
            [
                f"{I}.capacity: Forbidden: may not be specified in the context of inline volumes",
                f"{I}.csi: Required value: has to be specified in the context of inline volumes",
                f"{I}.accessModes: Required value",
                f"{I}.nfs.server: Required value",
                f"{I}.nfs.path: Required value",
                f'{I}.nfs.path: Invalid value: "": must be an absolute path',
                f"{I}.storageClassName: Forbidden: may not be specified in the context of inline volumes",
            ],
        ),
    ],
)
def test_create(spec: dict[str, Any], wrong: list[str]) -> None:
    found = created(RESOURCE, GOOD, {"spec": spec})
    assert [error for error in found if "RFC 1123" not in error] == wrong


def test_names() -> None:
    spec = {"source": {"persistentVolumeName": ""}, "nodeName": "A"}
    found = [error.partition(": ")[0] for error in created(RESOURCE, GOOD, {"spec": spec})]
    assert found == ["spec.source.persistentVolumeName", "spec.nodeName", "spec.source.persistentVolumeName"]


def test_the_spec_stays() -> None:
    assert updated(RESOURCE, GOOD, {"metadata": {"labels": {"a": "b"}}}) == []
    shown = (
        '{"Attacher":"csi.example.com","Source":{"PersistentVolumeName":"pv","InlineVolumeSpec":null},"NodeName":"b"}'
    )
    assert updated(RESOURCE, GOOD, {"spec": {"nodeName": "b"}}) == [f"spec: Invalid value: {shown}: field is immutable"]


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        ({"attached": True, "attachmentMetadata": {"a": "b"}}, []),
        (
            {"attachmentMetadata": {"a": "x" * 262144}},
            ["status.attachmentMetadata: Too long: may not be more than 262144 bytes"],
        ),
        (
            {"attachError": {"message": "x" * 1025}},
            ["status.attachError.message: Too long: may not be more than 262144 bytes"],
        ),
    ],
)
def test_status(status: dict[str, Any], wrong: list[str]) -> None:
    assert status_updated(RESOURCE, GOOD, {"status": status}) == wrong
