"""ClusterTrustBundle. Source: pkg/apis/certificates/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.certificates import certificate_pem
from fakes.judged import created, updated
from pilothouse.api.certificates.cluster_trust_bundle import RESOURCE

PREFIX = "ClusterTrustBundle for signerName k8s.io/foo must be named with prefix k8s.io:foo:"
ROOT = certificate_pem(authority=True)
HIDDEN = 'spec.trustBundle: Invalid value: "<value omitted>"'


def _bundle(name: str, signer: str, text: str = ROOT) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"signerName": signer, "trustBundle": text}}


@pytest.mark.parametrize(
    ("name", "signer", "wrong"),
    [
        ("roots", "", []),
        ("k8s.io:foo:roots", "k8s.io/foo", []),
        ("roots", "k8s.io/foo", [f'metadata.name: Invalid value: "roots": {PREFIX}']),
        (
            "a:b",
            "",
            [
                (
                    'metadata.name: Invalid value: "a:b": '
                    'ClusterTrustBundle without signer name must not have ":" in its name'
                )
            ],
        ),
    ],
)
def test_name(name: str, signer: str, wrong: list[str]) -> None:
    assert created(RESOURCE, _bundle(name, signer), {}) == wrong


@pytest.mark.parametrize(
    ("name", "signer", "path"),
    [
        ("A", "", "metadata.name"),
        ("k8s.io:foo:A", "k8s.io/foo", "metadata.name"),
        ("k8s.io:foo:", "k8s.io/foo", "metadata.name"),
        ("x:y:a", "x/y", "spec.signerName"),
    ],
)
def test_the_rest_is_a_subdomain(name: str, signer: str, path: str) -> None:
    assert [error.partition(": ")[0] for error in created(RESOURCE, _bundle(name, signer), {})] == [path]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (f"hello\n{ROOT}{certificate_pem(authority=True, serial=2)}", []),
        ("", [f"{HIDDEN}: at least one trust anchor must be provided"]),
        (ROOT + ROOT, [f"{HIDDEN}: duplicate trust anchor (indices [0 1])"]),
        (ROOT + certificate_pem(), [f"{HIDDEN}: entry 1 does not have the CA bit set"]),
        (ROOT.replace("CERTIFICATE", "KEY"), [f"{HIDDEN}: entry 0 has bad block type: KEY"]),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            [f"{HIDDEN}: entry 0 does not parse as X.509"],
        ),
        (
            ROOT.replace("BEGIN CERTIFICATE-----\n", "BEGIN CERTIFICATE-----\na: b\n\n"),
            [f"{HIDDEN}: entry 0 has PEM block headers"],
        ),
        ("x" * 1048577, ["spec.trustBundle: Too long: may not be more than 1048576 bytes"]),
    ],
)
def test_bundle(text: str, wrong: list[str]) -> None:
    assert created(RESOURCE, _bundle("roots", "", text), {}) == wrong


def test_update() -> None:
    assert updated(RESOURCE, _bundle("roots", "", "unreadable"), {"metadata": {"labels": {"a": "b"}}}) == []
    assert updated(RESOURCE, _bundle("roots", ""), {"spec": {"trustBundle": "x"}}) == [
        f"{HIDDEN}: at least one trust anchor must be provided"
    ]
    found = updated(RESOURCE, _bundle("a.b:c:x", "a.b/c"), {"spec": {"signerName": "a.b/d"}})
    assert found[-1] == 'spec.signerName: Invalid value: "a.b/d": field is immutable'
