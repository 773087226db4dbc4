"""IngressClass. Source: TestValidateIngressClass in pkg/apis/networking/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.judged import created, patched, updated
from pilothouse.api.networking.ingress_class import RESOURCE

GOOD: dict[str, Any] = {"metadata": {"name": "c"}, "spec": {"controller": "acme.io/foo"}}
P = "spec.parameters"


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"controller": ""}, ["spec.controller: Required value"]),
        (
            {"controller": "acme.io"},
            ['spec.controller: Invalid value: "acme.io": must be a domain-prefixed path (such as "acme.io/foo")'],
        ),
        ({"controller": f"acme.io/{'x' * 243}"}, ["spec.controller: Too long: may not be more than 250 bytes"]),
        ({"parameters": {"kind": "K", "name": "n"}}, []),
        ({"parameters": {"kind": "K", "name": "n", "scope": "Namespace", "namespace": "ns"}}, []),
        ({"parameters": {}}, [f"{P}.kind: Required value", f"{P}.name: Required value"]),
        (
            {"parameters": {"kind": "K", "name": "n", "scope": "Zone"}},
            [f'{P}.scope: Unsupported value: "Zone": supported values: "Cluster", "Namespace"'],
        ),
        (
            {"parameters": {"kind": "K", "name": "n", "scope": "Namespace"}},
            [f"{P}.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
        ),
        (
            {"parameters": {"kind": "K", "name": "n", "namespace": "ns"}},
            [f"{P}.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
        ),
    ],
)
def test_create(spec: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, {"spec": spec}) == wrong


def test_default() -> None:
    """Source: pkg/apis/networking/v1/defaults_test.go."""
    obj = patched(GOOD, {"spec": {"parameters": {"kind": "K", "name": "n"}}})
    RESOURCE.default(obj)
    assert obj["spec"]["parameters"]["scope"] == "Cluster"


def test_the_controller_stays() -> None:
    assert updated(RESOURCE, GOOD, {"metadata": {"annotations": {"a": "b"}}}) == []
    assert updated(RESOURCE, GOOD, {"spec": {"controller": "acme.io/bar"}}) == [
        'spec.controller: Invalid value: "acme.io/bar": field is immutable'
    ]
