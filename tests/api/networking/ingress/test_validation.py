"""Ingress. Source: TestValidateIngress and relatives in pkg/apis/networking/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.judged import created, status_updated
from pilothouse.api.networking.ingress import RESOURCE

SERVICE: dict[str, Any] = {"service": {"name": "web", "port": {"number": 80}}}
GOOD: dict[str, Any] = {"metadata": {"name": "i"}, "spec": {"defaultBackend": SERVICE}}
B, P = "spec.defaultBackend", "spec.rules[0].http.paths[0]"


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        (
            {"defaultBackend": None},
            ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"],
        ),
        (
            {"defaultBackend": {"resource": {"kind": "Bucket", "name": "b"}}},
            [f'{B}: Invalid value: "": cannot set both resource and service backends'],
        ),
        (
            {"defaultBackend": {"service": None}},
            [f'{B}: Invalid value: "": resource or service backend is required'],
        ),
        (
            {"defaultBackend": {"service": None, "resource": {"apiGroup": "a.b", "kind": "Bucket", "name": "b"}}},
            [],
        ),
        (
            {"defaultBackend": {"service": None, "resource": {"kind": "a/b"}}},
            [
                f"{B}.resource.kind: Invalid value: \"a/b\": may not contain '/'",
                f"{B}.resource.name: Required value",
            ],
        ),
        (
            {"defaultBackend": {"service": {"name": "", "port": {"name": "http", "number": None}}}},
            [f"{B}.service.name: Required value"],
        ),
        (
            {"defaultBackend": {"service": {"port": {"number": 0}}}},
            [f"{B}: Required value: port name or number is required"],
        ),
        (
            {"defaultBackend": {"service": {"port": {"name": "http"}}}},
            [f'{B}: Invalid value: "": cannot set both port name & port number'],
        ),
        (
            {"defaultBackend": {"service": {"port": {"number": 70000}}}},
            [f"{B}.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive"],
        ),
        (
            {
                "rules": [
                    {
                        "host": "*.example.com",
                        "http": {"paths": [{"pathType": "Prefix", "path": "/a", "backend": SERVICE}]},
                    }
                ]
            },
            [],
        ),
        ({"rules": [{"http": {}}]}, ["spec.rules[0].http.paths: Required value"]),
        (
            {"rules": [{"host": "10.0.0.1"}]},
            ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
        ),
    ],
)
def test_create(spec: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, {"spec": spec}) == wrong


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ({"pathType": "Exact", "path": "/"}, []),
        ({"pathType": "ImplementationSpecific"}, []),
        ({"path": "/"}, [f"{P}.pathType: Required value: pathType must be specified"]),
        (
            {"pathType": "Regex", "path": "/"},
            [
                (
                    f'{P}.pathType: Unsupported value: "Regex": '
                    'supported values: "Exact", "ImplementationSpecific", "Prefix"'
                )
            ],
        ),
        ({"pathType": "Exact"}, [f'{P}.path: Invalid value: "": must be an absolute path']),
        (
            {"pathType": "ImplementationSpecific", "path": "a"},
            [f'{P}.path: Invalid value: "a": must be an absolute path'],
        ),
        (
            {"pathType": "Prefix", "path": "/a//b/../c/.."},
            [
                f"{P}.path: Invalid value: \"/a//b/../c/..\": must not contain '//'",
                f"{P}.path: Invalid value: \"/a//b/../c/..\": must not contain '/../'",
                f"{P}.path: Invalid value: \"/a//b/../c/..\": cannot end with '/..'",
            ],
        ),
        ({"pathType": "ImplementationSpecific", "path": "/a//b"}, []),
    ],
)
def test_paths(path: dict[str, Any], wrong: list[str]) -> None:
    rules = [{"http": {"paths": [{**path, "backend": SERVICE}]}}]
    assert created(RESOURCE, GOOD, {"spec": {"rules": rules}}) == wrong


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"rules": [{"host": "*.*.com"}]}, "spec.rules[0].host"),
        ({"rules": [{"host": "A"}]}, "spec.rules[0].host"),
        ({"tls": [{"hosts": ["ok.com", "A"]}]}, "spec.tls[0].hosts[1]"),
        ({"tls": [{"hosts": ["*"]}]}, "spec.tls[0].hosts[0]"),
        ({"tls": [{"secretName": "A"}]}, "spec.tls[0].secretName"),
        ({"ingressClassName": "A"}, "spec.ingressClassName"),
        ({"ingressClassName": ""}, "spec.ingressClassName"),
        ({"defaultBackend": {"service": {"port": {"number": None, "name": "9"}}}}, f"{B}.service.port.name"),
    ],
)
def test_names(spec: dict[str, Any], path: str) -> None:
    assert [error.partition(": ")[0] for error in created(RESOURCE, GOOD, {"spec": spec})] == [path]


@pytest.mark.parametrize(
    ("annotated", "named", "wrong"),
    [
        ("a", "a", []),
        ("A b", None, []),
        (
            "a",
            "b",
            [
                (
                    'annotations.kubernetes.io/ingress.class: Invalid value: "a": '
                    "must match `ingressClassName` when both are specified"
                )
            ],
        ),
    ],
)
def test_the_class_is_named_once(annotated: str, named: str | None, wrong: list[str]) -> None:
    patch = {
        "metadata": {"annotations": {"kubernetes.io/ingress.class": annotated}},
        "spec": {"ingressClassName": named},
    }
    assert created(RESOURCE, GOOD, patch) == wrong


@pytest.mark.parametrize(
    ("point", "wrong"),
    [
        ({"ip": "10.0.0.1", "hostname": "a.example.com"}, []),
        ({"ip": "x"}, ['[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']),
        ({"hostname": "10.0.0.1"}, ['[0].hostname: Invalid value: "10.0.0.1": must be a DNS name, not an IP address']),
    ],
)
def test_status(point: dict[str, Any], wrong: list[str]) -> None:
    found = status_updated(RESOURCE, GOOD, {"status": {"loadBalancer": {"ingress": [point]}}})
    assert [error.removeprefix("status.loadBalancer.ingress") for error in found] == wrong
