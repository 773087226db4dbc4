"""PEM as Go's standard library reads it: what is between blocks is skipped."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fakes.certificates import certificate_pem, request
from pilothouse.api.certificates.pem import (
    blocks,
    certificate,
    is_authority,
    wrong_with_certificates,
    wrong_with_request,
    wrong_with_signature,
)

GOOD = certificate_pem()
BODY = "\n".join(GOOD.splitlines()[1:-1])


def test_blocks_among_other_text() -> None:
    found = list(blocks(f"said before\n{GOOD}between\n{GOOD}after"))
    assert [block.type for block in found] == ["CERTIFICATE", "CERTIFICATE"]
    assert isinstance(certificate(found[0].data), x509.Certificate)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (GOOD + GOOD, ""),
        ("", "must contain at least one CERTIFICATE PEM block"),
        (
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
            "must contain at least one CERTIFICATE PEM block",
        ),
        (GOOD.replace("CERTIFICATE", "KEY"), 'only CERTIFICATE PEM blocks are allowed, found "KEY"'),
        (
            f"-----BEGIN CERTIFICATE-----\na: b\n\n{BODY}\n-----END CERTIFICATE-----\n",
            "no PEM block headers are permitted",
        ),
    ],
)
def test_certificates(text: str, wrong: str) -> None:
    assert wrong_with_certificates(text) == wrong


def test_what_is_no_certificate() -> None:
    assert wrong_with_certificates("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def test_requests() -> None:
    assert wrong_with_request(GOOD) == "PEM block type must be CERTIFICATE REQUEST"
    assert wrong_with_request("") == "PEM block type must be CERTIFICATE REQUEST"
    assert wrong_with_request("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n")


def test_a_signature_by_another_key() -> None:
    good = request()
    assert wrong_with_signature(good) == ""
    data = bytearray(good.public_bytes(Encoding.DER))
    data[-1] ^= 1
    assert wrong_with_signature(x509.load_der_x509_csr(bytes(data))) == "x509: Ed25519 verification failure"


@pytest.mark.parametrize("authority", [True, False])
def test_authorities(authority: bool) -> None:
    (block,) = blocks(certificate_pem(authority=authority))
    assert is_authority(certificate(block.data)) is authority
