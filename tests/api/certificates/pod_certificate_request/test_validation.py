"""PodCertificateRequest. Source: TestValidatePodCertificateRequest... in
pkg/apis/certificates/validation/validation_test.go. *assumed*: the words about the stub request.
"""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from fakes.certificates import certificate_pem, encoded, request
from fakes.judged import created, patched, status_updated, updated
from pilothouse.api.certificates.pod_certificate_request import RESOURCE

STUB = encoded(request().public_bytes(Encoding.DER))
SPEC: dict[str, Any] = {
    "signerName": "example.com/x", "podName": "p", "podUID": "1", "serviceAccountName": "s", "serviceAccountUID": "2",
    "nodeName": "n", "nodeUID": "3", "stubPKCS10Request": STUB,
}  # fmt: skip
GOOD: dict[str, Any] = {"metadata": {"name": "r"}, "spec": SPEC}
STUB_PATH = "spec.stubPKCS10Request: Invalid value"


def _stub(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> dict[str, Any]:
    return {"stubPKCS10Request": encoded(request(key).public_bytes(Encoding.DER))}


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"maxExpirationSeconds": 7862400, "unverifiedUserAnnotations": {"a.b/c": "d"}}, []),
        ({"signerName": None}, ["spec.signerName: Required value"]),
        ({"podUID": None}, ['spec.podUID: Invalid value: "": must not be empty']),
        ({"nodeUID": "x" * 129}, ["spec.nodeUID: Too long: may not be more than 128 bytes"]),
        (
            {"maxExpirationSeconds": 3599},
            ["spec.maxExpirationSeconds: Invalid value: 3599: must be in the range [3600, 7862400]"],
        ),
        (
            {"maxExpirationSeconds": 86401, "signerName": "kubernetes.io/x"},
            ["spec.maxExpirationSeconds: Invalid value: 86401: must be in the range [3600, 86400]"],
        ),
        ({"stubPKCS10Request": "YQ=="}, [f"{STUB_PATH}: must be a valid PKCS#10 certificate signing request"]),
        (
            {"stubPKCS10Request": "A" * 14000},
            ["spec.stubPKCS10Request: Too long: may not be more than 10240 bytes"],
        ),
        (_stub(ec.generate_private_key(ec.SECP521R1())), []),
        (
            _stub(ec.generate_private_key(ec.SECP224R1())),
            [f'{STUB_PATH}: "curve P-224": elliptic public keys must use curve P256 or P384'],
        ),
        (
            _stub(rsa.generate_private_key(65537, 1024)),
            [f'{STUB_PATH}: "1024-bit modulus": RSA keys must have modulus size 3072 or 4096'],
        ),
    ],
)
def test_create(spec: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, {"spec": spec}) == wrong


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"podName": "A"}, "podName"),
        ({"serviceAccountName": ""}, "serviceAccountName"),
        ({"unverifiedUserAnnotations": {"bare": ""}}, "unverifiedUserAnnotations"),
    ],
)
def test_names(spec: dict[str, Any], path: str) -> None:
    assert [error.partition(": ")[0] for error in created(RESOURCE, GOOD, {"spec": spec})] == [f"spec.{path}"]


def test_a_stub_that_another_signed() -> None:
    data = bytearray(request().public_bytes(Encoding.DER))
    data[-1] ^= 1
    assert created(RESOURCE, GOOD, {"spec": {"stubPKCS10Request": encoded(bytes(data))}}) == [
        f"{STUB_PATH}: could not verify the signature of the certificate signing request"
    ]


def test_default_and_update() -> None:
    obj = patched(GOOD, {})
    RESOURCE.default(obj)
    assert obj["spec"]["maxExpirationSeconds"] == 86400
    assert updated(RESOURCE, GOOD, {"metadata": {"labels": {"a": "b"}}}) == []
    (found,) = updated(RESOURCE, GOOD, {"spec": {"podName": "q"}})
    assert found.endswith(": field is immutable")


def _condition(kind: str, status: str = "True") -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": "R", "lastTransitionTime": "2026-01-01T00:00:00Z"}


ISSUED: dict[str, Any] = {
    "conditions": [_condition("Issued")],
    "certificateChain": certificate_pem() + certificate_pem(authority=True),
    "notBefore": "2026-01-01T00:00:00Z",
    "notAfter": "2026-01-02T00:00:00Z",
    "beginRefreshAt": "2026-01-01T12:00:00Z",
}
CHAIN = "status.certificateChain: Invalid value"


def _judged(status: dict[str, Any], good: dict[str, Any] = GOOD) -> list[str]:
    old = patched(good, {"spec": {"maxExpirationSeconds": 86400}})
    found = status_updated(RESOURCE, old, {"status": status})
    return [error.replace(f'"{_escaped(status)}": ', "") for error in found]


def _escaped(status: dict[str, Any]) -> str:
    text: str = status.get("certificateChain") or "-"
    return text.replace("\n", "\\n")


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        (ISSUED, []),
        ({"conditions": [_condition("Denied")]}, []),
        (
            {"conditions": [_condition("Denied"), _condition("Failed")]},
            [
                (
                    'status.conditions.[1].type: Invalid value: "Failed": '
                    'There may be at most one condition with type "Issued", "Denied", or "Failed"'
                )
            ],
        ),
        (
            {"conditions": [_condition("Denied", "False")]},
            ['status.conditions.[0].status: Unsupported value: "False": supported values: "True"'],
        ),
        (
            {"conditions": [_condition("Ready")]},
            ['status.conditions.[0].type: Unsupported value: "Ready": supported values: "Issued", "Denied", "Failed"'],
        ),
        (
            {**ISSUED, "conditions": [_condition("Denied")]},
            [
                (
                    "status: Invalid value: non-condition status fields must be empty when denying or failing "
                    "the PodCertificateRequest"
                )
            ],
        ),
        (
            {"notBefore": "2026-01-01T00:00:00Z"},
            ['status: Invalid value: status is immutable unless transitioning to "Issued", "Denied", or "Failed"'],
        ),
        (
            {**ISSUED, "certificateChain": ""},
            [f'{CHAIN}: "": issued certificate chain must contain at least one certificate'],
        ),
        (
            {**ISSUED, "certificateChain": certificate_pem().replace("CERTIFICATE", "KEY")},
            [f"{CHAIN}: issued certificate chain must consist entirely of CERTIFICATE PEM blocks"],
        ),
        (
            {**ISSUED, "certificateChain": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
            [f"{CHAIN}: leaf certificate does not parse as valid X.509"],
        ),
        (
            {**ISSUED, "certificateChain": certificate_pem(ed25519.Ed25519PrivateKey.generate())},
            [f"{CHAIN}: leaf certificate was not issued to the requested public key"],
        ),
        (
            {**ISSUED, "certificateChain": certificate_pem(names=("a..b", ".c"))},
            [
                f"{CHAIN}: \"a..b\": leaf certificate's DNSName should not contain '..'",
                f"{CHAIN}: \".c\": leaf certificate's DNSName should not start or end with '.'",
            ],
        ),
        (
            {**ISSUED, "notAfter": None},
            ["status.notAfter: Required value: must be present and consistent with the issued certificate"],
        ),
        (
            {**ISSUED, "notAfter": "2026-01-03T00:00:00Z"},
            [
                (
                    'status.notAfter: Invalid value: "2026-01-03T00:00:00Z": '
                    "must be set to the NotAfter time encoded in the leaf certificate"
                )
            ],
        ),
        (
            {**ISSUED, "certificateChain": certificate_pem(hours=0.5), "notAfter": "2026-01-01T00:30:00Z"},
            [f"{CHAIN}: 1800000000000: leaf certificate lifetime must be >= 1 hour"],
        ),
        (
            {**ISSUED, "certificateChain": certificate_pem(hours=25), "notAfter": "2026-01-02T01:00:00Z"},
            [f"{CHAIN}: 90000000000000: leaf certificate lifetime must be <= spec.maxExpirationSeconds (86400)"],
        ),
        (
            {**ISSUED, "beginRefreshAt": "2026-01-01T00:09:59Z"},
            [
                (
                    'status.beginRefreshAt: Invalid value: "2026-01-01T00:09:59Z": '
                    "must be at least 10 minutes after status.notBefore"
                )
            ],
        ),
        (
            {**ISSUED, "beginRefreshAt": "2026-01-01T23:50:01Z"},
            [
                (
                    'status.beginRefreshAt: Invalid value: "2026-01-01T23:50:01Z": '
                    "must be at least 10 minutes before status.notAfter"
                )
            ],
        ),
    ],
)
def test_status(status: dict[str, Any], wrong: list[str]) -> None:
    assert _judged(status) == wrong


def test_it_ends_once() -> None:
    good = patched(GOOD, {"status": ISSUED})
    assert _judged({}, good) == []
    assert _judged({"beginRefreshAt": "2026-01-01T13:00:00Z"}, good) == [
        "status: Invalid value: immutable after PodCertificateRequest is issued, denied, or failed"
    ]
