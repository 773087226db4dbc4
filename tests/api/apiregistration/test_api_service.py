"""APIService. Source: kube-aggregator/pkg/apis/apiregistration/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.judged import created, patched
from pilothouse.api.apiregistration.api_service import RESOURCE

GOOD: dict[str, Any] = {
    "metadata": {"name": "v1.example.com"},
    "spec": {"group": "example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10},
}
SERVICE: dict[str, Any] = {"namespace": "a", "name": "b"}


@pytest.mark.parametrize(
    ("patch", "wrong"),
    [
        ({}, []),
        ({"spec": {"service": SERVICE, "caBundle": "YQ=="}}, []),
        ({"spec": {"service": SERVICE, "insecureSkipTLSVerify": True}}, []),
        (
            {"metadata": {"name": "x"}},
            ['metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.example.com"'],
        ),
        ({"metadata": {"name": "v1."}, "spec": {"group": None}}, []),
        (
            {"metadata": {"name": "v2."}, "spec": {"group": None, "version": "v2"}},
            ["spec.group: Required value: only v1 may have an empty group and it better be legacy kube"],
        ),
        (
            {"spec": {"groupPriorityMinimum": 0, "versionPriority": 1001}},
            [
                "spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000",
                "spec.versionPriority: Invalid value: 1001: must be positive and less than 1000",
            ],
        ),
        (
            {"spec": {"caBundle": "YQ==", "insecureSkipTLSVerify": True}},
            [
                'spec.caBundle: Invalid value: "1 bytes": local APIServices may not have a caBundle',
                (
                    "spec.insecureSkipTLSVerify: Invalid value: true: "
                    "local APIServices may not have insecureSkipTLSVerify"
                ),
            ],
        ),
        (
            {"spec": {"service": {"port": 0}}},
            [
                "spec.service.namespace: Required value",
                "spec.service.name: Required value",
                "spec.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive",
            ],
        ),
        (
            {"spec": {"service": SERVICE, "caBundle": "YQ==", "insecureSkipTLSVerify": True}},
            ["spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present"],
        ),
    ],
)
def test_create(patch: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, patch) == wrong


@pytest.mark.parametrize(
    ("name", "spec", "path"),
    [("v1.A", {"group": "A"}, "spec.group"), ("1.example.com", {"version": "1"}, "spec.version")],
)
def test_names(name: str, spec: dict[str, Any], path: str) -> None:
    found = created(RESOURCE, GOOD, {"metadata": {"name": name}, "spec": spec})
    assert [error.partition(": ")[0] for error in found] == [path]


def test_default() -> None:
    obj = patched(GOOD, {"spec": {"service": SERVICE}})
    RESOURCE.default(obj)
    assert obj["spec"]["service"]["port"] == 443
