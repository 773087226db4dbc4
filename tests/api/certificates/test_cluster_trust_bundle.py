"""ClusterTrustBundle. Source: pkg/apis/certificates/validation."""

from typing import Any

import pytest

from pilothouse.api.certificates.cluster_trust_bundle import RESOURCE
from pilothouse.api.machinery.field import FieldErrors

PREFIX = "ClusterTrustBundle for signerName k8s.io/foo must be named with prefix k8s.io:foo:"


def _bundle(name: str, signer: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"signerName": signer}}


@pytest.mark.parametrize(
    ("name", "signer", "wrong"),
    [
        ("roots", "", []),
        ("k8s.io:foo:roots", "k8s.io/foo", []),
        ("roots", "k8s.io/foo", [f'metadata.name: Invalid value: "roots": {PREFIX}']),
    ],
)
def test_name(name: str, signer: str, wrong: list[str]) -> None:
    errors = FieldErrors()
    RESOURCE.validate(_bundle(name, signer), errors)
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(
    ("name", "signer"), [("a:b", ""), ("k8s.io:foo:A", "k8s.io/foo"), ("k8s.io:foo:", "k8s.io/foo")]
)
def test_the_rest_is_a_subdomain(name: str, signer: str) -> None:
    errors = FieldErrors()
    RESOURCE.validate(_bundle(name, signer), errors)
    assert [error.path for error in errors] == ["metadata.name"]


def test_the_signer_stays() -> None:
    errors = FieldErrors()
    RESOURCE.validate_update(_bundle("x", "a/b"), _bundle("x", "a/c"), errors)
    assert [str(error) for error in errors] == ['spec.signerName: Invalid value: "a/b": field is immutable']
