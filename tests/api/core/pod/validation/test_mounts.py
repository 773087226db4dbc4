"""Rules of mounts and devices. Expected texts: pkg/apis/core/validation/validation.go."""

# ruff: noqa: E501 - messages are quoted whole

import pytest

from pilothouse.api.core.pod.validation.mounts import validate_devices, validate_mounts
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

VOLUMES: dict[str, JsonObject] = {
    "v": {"name": "v", "emptyDir": {}},
    "p": {"name": "p", "persistentVolumeClaim": {"claimName": "c"}},
}


def mount(**fields: object) -> JsonObject:
    return {"name": "v", "mountPath": "/v", **fields}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"volumeMounts": [mount()]}, []),
        ({"volumeMounts": [mount(name="zz")]}, ['m[0].name: Not found: "zz"']),
        ({"volumeMounts": [mount(mountPath="")]}, ["m[0].mountPath: Required value"]),
        ({"volumeMounts": [mount(), mount()]}, ['m[1].mountPath: Invalid value: "/v": must be unique']),
        ({"volumeMounts": [mount(subPath="/a")]}, ['m.subPath: Invalid value: "/a": must be a relative path']),
        ({"volumeMounts": [mount(subPath="a/../b")]}, ["m.subPath: Invalid value: \"a/../b\": must not contain '..'"]),
        (
            {"volumeMounts": [mount(subPath="a", subPathExpr="b")]},
            ['m[0].subPathExpr: Invalid value: "b": subPathExpr and subPath are mutually exclusive'],
        ),
        (
            {"volumeMounts": [mount(mountPropagation="X")]},
            ['m.mountPropagation: Unsupported value: "X": supported values: "Bidirectional", "HostToContainer", "None"'],
        ),
        (
            {"volumeMounts": [mount(mountPropagation="Bidirectional")]},
            ["m.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers"],
        ),
        (
            {"volumeMounts": [mount(mountPropagation="Bidirectional")], "securityContext": {"privileged": True}},
            [],
        ),
        (
            {"volumeMounts": [mount(recursiveReadOnly="Enabled")]},
            ["m.recursiveReadOnly: Forbidden: may only be specified when readOnly is true"],
        ),
        (
            {"volumeMounts": [mount()], "volumeDevices": [{"name": "v", "devicePath": "/v"}]},
            ['m[0].name: Invalid value: "v": must not already exist in volumeDevices',
             'm[0].mountPath: Invalid value: "/v": must not already exist as a path in volumeDevices'],
        ),
    ],
)  # fmt: skip
def test_mounts(container: JsonObject, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_mounts(container, VOLUMES, errors, "m")
    assert [str(error) for error in errors] == expected


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ([{"name": "p", "devicePath": "/dev/x"}], []),
        (
            [{"name": "v", "devicePath": "/dev/x"}],
            [('d[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for '
             "block mode")],
        ),
        ([{"name": "zz", "devicePath": "/dev/x"}], ['d[0].name: Not found: "zz"']),
        ([{"name": "p"}], ["d[0].devicePath: Required value"]),
        (
            [{"name": "p", "devicePath": "/a/../b"}],
            ["d[0].devicePath: Invalid value: \"/a/../b\": can not contain backsteps ('..')"],
        ),
        (
            [{"name": "p", "devicePath": "/a"}, {"name": "p", "devicePath": "/a"}],
            ['d[1].name: Invalid value: "p": must be unique', 'd[1].devicePath: Invalid value: "/a": must be unique'],
        ),
    ],
)  # fmt: skip
def test_devices(devices: list[JsonObject], expected: list[str]) -> None:
    errors = FieldErrors()
    validate_devices({"volumeDevices": devices}, VOLUMES, errors, "d")
    assert [str(error) for error in errors] == expected
