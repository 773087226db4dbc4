"""CertificateSigningRequest. Source: pkg/apis/certificates/validation/validation_test.go."""

from typing import Any

import pytest

from fakes.certificates import certificate_pem, encoded, request_pem
from fakes.judged import created, patched, status_updated
from pilothouse.api.certificates.certificate_signing_request import RESOURCE

SPEC: dict[str, Any] = {"request": request_pem(), "usages": ["client auth"], "signerName": "example.com/x"}
GOOD: dict[str, Any] = {"metadata": {"name": "me"}, "spec": SPEC, "status": {}}
PEM_WORDS = "PEM block type must be CERTIFICATE REQUEST"


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ({}, []),
        ({"expirationSeconds": 600, "usages": ["any", "s/mime"]}, []),
        ({"request": "YQ=="}, [f'spec.request: Invalid value: "YQ==": {PEM_WORDS}']),
        ({"usages": None}, ["spec.usages: Required value"]),
        ({"usages": ["any", "any"]}, ['spec.usages[1]: Duplicate value: "any"']),
        ({"signerName": ""}, ["spec.signerName: Required value"]),
        (
            {"signerName": "kubernetes.io/legacy-unknown"},
            [
                (
                    'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": '
                    "the legacy signerName is not allowed via this API version"
                )
            ],
        ),
        (
            {"expirationSeconds": 599},
            [
                (
                    "spec.expirationSeconds: Invalid value: 599: "
                    "may not specify a duration less than 600 seconds (10 minutes)"
                )
            ],
        ),
    ],
)
def test_create(spec: dict[str, Any], wrong: list[str]) -> None:
    assert created(RESOURCE, GOOD, {"spec": spec}) == wrong


def test_usages_are_those_there_are() -> None:
    (found,) = created(RESOURCE, GOOD, {"spec": {"usages": ["fun"]}})
    assert found.startswith('spec.usages[0]: Unsupported value: "fun": supported values: "any", "cert sign", ')


def _status(part: str, good: dict[str, Any], **status: Any) -> list[str]:
    found = status_updated(RESOURCE, good, {"status": status}, part)
    return [error.partition("\n")[0] for error in found]


APPROVED: dict[str, Any] = {"type": "Approved", "status": "True", "reason": "ok"}
DENIED: dict[str, Any] = {"type": "Denied", "status": "True"}
FAILED: dict[str, Any] = {"type": "Failed", "status": "True"}
C = "status.conditions"
CERTIFICATE = encoded(certificate_pem().encode())


@pytest.mark.parametrize(
    ("conditions", "wrong"),
    [
        ([APPROVED], []),
        ([DENIED, FAILED], []),
        ([{"type": "Other", "status": "Unknown"}], []),
        ([{"status": "True"}], [f"{C}[0].type: Required value"]),
        ([{"type": "Other"}], [f"{C}[0].status: Required value"]),
        (
            [{"type": "Other", "status": "Maybe"}],
            [f'{C}[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"'],
        ),
        (
            [{"type": "Approved", "status": "False"}],
            [f'{C}[0].status: Unsupported value: "False": supported values: "True"'],
        ),
        (
            [APPROVED, DENIED],
            [f'{C}[1].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive'],
        ),
        ([FAILED, FAILED], [f'{C}[1].type: Duplicate value: "Failed"']),
    ],
)
def test_approval(conditions: list[dict[str, Any]], wrong: list[str]) -> None:
    assert _status("approval", GOOD, conditions=conditions) == wrong


def test_an_approval_stays() -> None:
    good = patched(GOOD, {"status": {"conditions": [APPROVED]}})
    assert _status("approval", good, conditions=[]) == [
        f'{C}: Forbidden: updates may not remove a condition of type "Approved"'
    ]
    assert _status("status", good, conditions=[{**APPROVED, "reason": "other"}]) == []  # put back by the strategy


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        ({"certificate": CERTIFICATE, "conditions": [FAILED]}, []),
        (
            {"certificate": "YQ=="},
            [
                (
                    'status.certificate: Invalid value: "<certificate data>": '
                    "must contain at least one CERTIFICATE PEM block"
                )
            ],
        ),
        ({"conditions": [APPROVED]}, [f'{C}: Forbidden: updates may not add a condition of type "Approved"']),
    ],
)
def test_status(status: dict[str, Any], wrong: list[str]) -> None:
    assert _status("status", GOOD, **status) == wrong


def test_a_certificate_is_issued_once() -> None:
    good = patched(GOOD, {"status": {"certificate": CERTIFICATE}})
    other = encoded(certificate_pem(serial=2).encode())
    assert _status("status", good, certificate=other) == [
        "status.certificate: Forbidden: updates may not modify existing certificate content"
    ]
    assert _status("approval", good, certificate=other) == []  # put back by the strategy
