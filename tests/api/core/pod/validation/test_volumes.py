"""Rules of volumes. Expected texts: pkg/apis/core/validation/validation.go."""

# ruff: noqa: E501 - messages are quoted whole

import pytest

from pilothouse.api.core.pod.validation.volumes import validate_volumes
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

TYPES = '"", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"'
CLAIM: JsonObject = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


def problems(*volumes: JsonObject, in_pod: bool = True) -> list[str]:
    errors = FieldErrors()
    validate_volumes(list(volumes), "web", errors, "v", in_pod=in_pod)
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"emptyDir": {"sizeLimit": "1Gi"}}, []),
        ({}, ["v[0]: Required value: must specify a volume type"]),
        (
            {"hostPath": {"path": "/a"}, "emptyDir": {}},
            ["v[0].hostPath: Forbidden: may not specify more than 1 volume type"],
        ),
        (
            {"emptyDir": {"sizeLimit": "-1"}},
            ["v[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"],
        ),
        ({"hostPath": {}}, ["v[0].hostPath.path: Required value"]),
        ({"hostPath": {"path": "/a/.."}}, ["v[0].hostPath.path: Invalid value: \"/a/..\": must not contain '..'"]),
        (
            {"hostPath": {"path": "/a", "type": "X"}},
            [f'v[0].hostPath.type: Unsupported value: "X": supported values: {TYPES}'],
        ),
        ({"secret": {}}, ["v[0].secret.secretName: Required value"]),
        ({"configMap": {}}, ["v[0].configMap.name: Required value"]),
        (
            {"configMap": {"name": "a", "defaultMode": 512}},
            ["v[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive"],
        ),
        ({"secret": {"secretName": "a", "items": [{"path": "p"}]}}, ["v[0].secret.items[0].key: Required value"]),
        (
            {"secret": {"secretName": "a", "items": [{"key": "k", "path": "..p"}]}},
            ["v[0].secret.items[0].path: Invalid value: \"..p\": must not start with '..'"],
        ),
        (
            {"secret": {"secretName": "a", "items": [{"key": "k", "path": "/p"}]}},
            ['v[0].secret.items[0].path: Invalid value: "/p": must be a relative path'],
        ),
        ({"persistentVolumeClaim": {}}, ["v[0].persistentVolumeClaim.claimName: Required value"]),
        ({"nfs": {"server": "s", "path": "p"}}, ['v[0].nfs.path: Invalid value: "p": must be an absolute path']),
        ({"csi": {"driver": "csi.example.com"}}, []),
        (
            {"csi": {"driver": "a", "nodePublishSecretRef": {}}},
            ["v[0].csi.nodePublishSecretRef.name: Required value"],
        ),
        ({"image": {"pullPolicy": "Always"}}, ["v[0].image.reference: Required value"]),
        ({"ephemeral": {}}, ["v[0].ephemeral.volumeClaimTemplate: Required value"]),
        ({"ephemeral": {"volumeClaimTemplate": {"spec": CLAIM}}}, []),
        (
            {"ephemeral": {"volumeClaimTemplate": {"metadata": {"name": "n"}, "spec": CLAIM}}},
            ["v[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set"],
        ),
        (
            {"ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
            ["v[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required",
             "v[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value"],
        ),
        (
            {"downwardAPI": {"items": [{"path": "p"}]}},
            ["v[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"],
        ),
        (
            {"downwardAPI": {"items": [{"path": "p", "resourceFieldRef": {"resource": "limits.cpu"}}]}},
            ["v[0].downwardAPI.resourceFieldRef.containerName: Required value"],
        ),
        ({"iscsi": {"targetPortal": "t", "iqn": "x"}},
         ['v[0].iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa']),
        ({"rbd": {"image": "i"}}, ["v[0].rbd.monitors: Required value"]),
        ({"gcePersistentDisk": {"pdName": "a", "partition": 300}},
         ["v[0].gcePersistentDisk.partition: Invalid value: 300: must be between 1 and 255, inclusive"]),
    ],
)  # fmt: skip
def test_sources(source: JsonObject, expected: list[str]) -> None:
    assert problems({"name": "a", **source}) == expected


def test_names() -> None:
    assert problems({"emptyDir": {}}) == ["v[0].name: Required value"]
    assert problems({"name": "a", "emptyDir": {}}, {"name": "a", "emptyDir": {}}) == ['v[1].name: Duplicate value: "a"']
    assert problems({"name": "a.b", "emptyDir": {}}) == ['v[0].name: Invalid value: "a.b": must not contain dots']


def test_only_valid_volumes_can_be_mounted() -> None:
    errors = FieldErrors()
    volumes: list[JsonObject] = [{"name": "a", "emptyDir": {}}, {"name": "b"}]
    assert list(validate_volumes(volumes, "web", errors, "v", in_pod=True)) == ["a"]


def test_a_claim_made_for_the_pod_is_not_mounted_by_name() -> None:
    made: JsonObject = {"name": "a", "ephemeral": {"volumeClaimTemplate": {"spec": CLAIM}}}
    named: JsonObject = {"name": "b", "persistentVolumeClaim": {"claimName": "web-a"}}
    assert problems(made, named) == [
        (
            'v[1].persistentVolumeClaim.claimName: Invalid value: "web-a": must not reference a PVC that gets created for an '
            "ephemeral volume"
        )
    ]


def test_a_template_may_leave_the_image_to_others() -> None:
    assert problems({"name": "a", "image": {"pullPolicy": "Always"}}, in_pod=False) == []
