"""Rules of probes and hooks. Expected texts: pkg/apis/core/validation/validation.go."""

# ruff: noqa: E501 - messages are quoted whole

import pytest

from pilothouse.api.core.pod.validation.handlers import validate_lifecycle, validate_probes
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.view import JsonObject

TCP: JsonObject = {"tcpSocket": {"port": 80}, "successThreshold": 1}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"livenessProbe": TCP, "readinessProbe": {**TCP, "successThreshold": 3}, "startupProbe": TCP}, []),
        ({"livenessProbe": {"successThreshold": 1}}, ["c.livenessProbe: Required value: must specify a handler type"]),
        ({"livenessProbe": {**TCP, "successThreshold": 2}}, ["c.livenessProbe.successThreshold: Invalid value: 2: must be 1"]),
        ({"startupProbe": {**TCP, "successThreshold": 2}}, ["c.startupProbe.successThreshold: Invalid value: 2: must be 1"]),
        (
            {"livenessProbe": {**TCP, "exec": {"command": ["a"]}}},
            ["c.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"],
        ),
        (
            {"readinessProbe": {**TCP, "terminationGracePeriodSeconds": 5}},
            ["c.readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes"],
        ),
        (
            {"livenessProbe": {**TCP, "terminationGracePeriodSeconds": 0}},
            ["c.livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0"],
        ),
        (
            {"livenessProbe": {**TCP, "initialDelaySeconds": -1}},
            ["c.livenessProbe.initialDelaySeconds: Invalid value: -1: must be greater than or equal to 0"],
        ),
        ({"readinessProbe": {"exec": {}}}, ["c.readinessProbe.exec.command: Required value"]),
        (
            {"readinessProbe": {"httpGet": {"path": "/", "port": 0, "scheme": "HTTP"}}},
            ["c.readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"],
        ),
        (
            {"readinessProbe": {"httpGet": {"path": "/", "port": "a--b", "scheme": "HTTP"}}},
            ['c.readinessProbe.httpGet.port: Invalid value: "a--b": must not contain consecutive hyphens'],
        ),
        (
            {"readinessProbe": {"httpGet": {"path": "/", "port": 1, "scheme": "FTP"}}},
            ['c.readinessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"'],
        ),
        (
            {"readinessProbe": {"grpc": {}}},
            ["c.readinessProbe.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive"],
        ),
    ],
)  # fmt: skip
def test_probes(container: JsonObject, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_probes(container, errors, "c")
    assert [str(error) for error in errors] == expected


@pytest.mark.parametrize(
    ("lifecycle", "system", "expected"),
    [
        ({"preStop": {"sleep": {"seconds": 5}}}, "", []),
        (
            {"preStop": {"sleep": {"seconds": 31}}},
            "",
            [
                "l.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)"
            ],
        ),
        ({"postStart": {}}, "", ["l.postStart: Required value: must specify a handler type"]),
        ({"stopSignal": "SIGUSR1"}, "linux", []),
        ({"stopSignal": "SIGRTMIN+3"}, "linux", []),
        (  # assumed
            {"stopSignal": "SIGUSR1"},
            "windows",
            ['l.stopSignal: Unsupported value: "SIGUSR1": supported values: "SIGKILL", "SIGTERM"'],
        ),
        (  # assumed
            {"stopSignal": "SIGUSR1"},
            "",
            ["l.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`"],
        ),
    ],
)
def test_lifecycle(lifecycle: JsonObject, system: str, expected: list[str]) -> None:
    errors = FieldErrors()
    validate_lifecycle(lifecycle, 30, system, errors, "l")
    assert [str(error) for error in errors] == expected
