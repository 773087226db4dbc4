"""Reading a request."""

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from controllers.certificates.asking import KEY, OTHER_NAMES, manifest, pem, request, subject
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.controllers.certificates.request import read_request


def test_subject_and_key() -> None:
    found = request(subject("ann", ("devs", "ops")))
    assert (found.common_name, found.organizations, found.key) == ("ann", ("devs", "ops"), KEY.public_key())
    assert found.names == ()


def test_of_several_common_names_the_last_counts() -> None:
    assert request(((NameOID.COMMON_NAME, "ann"), (NameOID.COMMON_NAME, "ben"))).common_name == "ben"


def test_nobody() -> None:
    found = request(())
    assert (found.common_name, found.organizations) == ("", ())


def test_other_names_that_count_in_the_order_of_a_certificate() -> None:
    found = request((), *OTHER_NAMES)
    assert found.names == tuple(OTHER_NAMES[name] for name in ("dns", "email", "ip", "uri"))
    assert found.has(x509.DNSName)
    assert not request((), "ip").has(x509.DNSName)


def test_other_names_are_not_judged() -> None:
    """What is no mail address is one all the same for whoever reads requests as Go does."""
    name = x509.RFC822Name._init_without_validation("Ann <ann@example.org>")
    OTHER_NAMES["odd"] = name
    try:
        assert request((), "odd").names == (name,)
    finally:
        del OTHER_NAMES["odd"]


def _text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param("", id="nothing"),
        pytest.param("*", id="no base64"),
        pytest.param(_text("ann"), id="no PEM"),
        pytest.param(_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), id="another block"),
        pytest.param(
            _text("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"), id="zeros"
        ),
    ],
)
def test_what_cannot_be_read(encoded: str) -> None:
    found: dict[str, Any] = manifest()
    found["spec"]["request"] = encoded
    assert read_request(CertificateSigningRequest(found)) is None


def test_the_first_block_counts() -> None:
    found: dict[str, Any] = manifest()
    found["spec"]["request"] = _text("first this\n" + base64.b64decode(pem(subject("ann"))).decode())
    read = read_request(CertificateSigningRequest(found))
    assert read is not None
    assert read.common_name == "ann"
