"""Rules of security contexts. Expected texts: pkg/apis/core/validation/validation.go."""

# ruff: noqa: E501 - messages are quoted whole

import pytest

from pilothouse.api.core.pod.validation.security import (
    validate_host_process,
    validate_pod_security_context,
    validate_security_context,
)
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

PROFILES = '"Localhost", "RuntimeDefault", "Unconfined"'


def texts(errors: FieldErrors) -> list[str]:
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("security", "expected"),
    [
        ({"runAsUser": 0, "privileged": True}, []),
        ({"runAsUser": -1}, ["s.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"]),
        ({"procMount": "X"}, ['s.procMount: Unsupported value: "X": supported values: "Default", "Unmasked"']),
        ({"procMount": "Unmasked"}, ['s.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`']),
        (
            {"allowPrivilegeEscalation": False, "privileged": True},
            [('s: Invalid value: {"Capabilities":null,"Privileged":true,"SELinuxOptions":null,"WindowsOptions":null,'
              '"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,'
              '"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}: cannot set '
             "`allowPrivilegeEscalation` to false and `privileged` to true")],
        ),
        ({"seccompProfile": {}}, ["s.seccompProfile.type: Required value: type is required when seccompProfile is set"]),
        ({"seccompProfile": {"type": "X"}}, [f's.seccompProfile.type: Unsupported value: "X": supported values: {PROFILES}']),
        (
            {"seccompProfile": {"type": "Localhost"}},
            ["s.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost"],
        ),
        (
            {"appArmorProfile": {"type": "Localhost", "localhostProfile": " a"}},
            ['s.appArmorProfile.localhostProfile: Invalid value: " a": must not be padded with whitespace'],
        ),
        (
            {"appArmorProfile": {"type": "Unconfined", "localhostProfile": "a"}},
            ['s.appArmorProfile.localhostProfile: Invalid value: "a": can only be set when AppArmor type is Localhost'],
        ),
        (
            {"windowsOptions": {"runAsUserName": ""}},
            ['s.windowsOptions.runAsUserName: Invalid value: "": runAsUserName cannot be an empty string'],
        ),
    ],
)  # fmt: skip
def test_of_a_container(security: JsonObject, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_security_context(security, True, errors, "s")
    assert texts(errors) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"securityContext": {"fsGroup": 1, "sysctls": [{"name": "net.core/somaxconn", "value": "1"}]}}, []),
        (
            {"securityContext": {"supplementalGroups": [-1]}},
            ["s.supplementalGroups[0]: Invalid value: -1: must be between 0 and 2147483647, inclusive"],
        ),
        (
            {"shareProcessNamespace": True, "hostPID": True},
            ["s.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled"],
        ),
        ({"securityContext": {"sysctls": [{}]}}, ["s.sysctls[0].name: Required value"]),
        (
            {"securityContext": {"sysctls": [{"name": "a"}, {"name": "a"}]}},
            ['s.sysctls[1].name: Duplicate value: "a"'],
        ),
        (
            {"hostNetwork": True, "securityContext": {"sysctls": [{"name": "net.a"}]}},
            ["s.sysctls[0].name: Invalid value: \"net.a\": may not be specified when 'hostNetwork' is true"],
        ),
        (
            {"hostIPC": True, "securityContext": {"sysctls": [{"name": "kernel.shmmax"}]}},
            ["s.sysctls[0].name: Invalid value: \"kernel.shmmax\": may not be specified when 'hostIPC' is true"],
        ),
        (
            {"securityContext": {"fsGroupChangePolicy": "X"}},
            ['s.fsGroupChangePolicy: Unsupported value: "X": supported values: "Always", "OnRootMismatch"'],
        ),
    ],
)
def test_of_a_pod(spec: JsonObject, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_pod_security_context(spec, errors, "s")
    assert texts(errors) == expected


def test_all_or_none_of_the_containers_are_host_processes() -> None:
    host: JsonObject = {"securityContext": {"windowsOptions": {"hostProcess": True}}}
    errors = FieldErrors()
    validate_host_process({"containers": [host, {}]}, errors, "spec")
    assert texts(errors) == [
        (
            'spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess '
            "containers"
        ),
        "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers",
    ]
