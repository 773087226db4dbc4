"""Certificates and requests as objects carry them: PEM blocks, read as Go's standard library reads them.

What is between blocks is skipped, and so is what only looks like one. RFC 7468. *assumed*: the words for what is no
ASN.1, which are the parser's own.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

CERTIFICATE = "CERTIFICATE"
_LINE = 64
_BLOCK = re.compile(
    r"^-----BEGIN (?P<type>[^\n]*?)-----[ \t\r]*\n"
    r"(?P<headers>(?:[^\n:]+:[^\n]*\n)*)\r?\n?"
    r"(?P<body>[A-Za-z0-9+/=\s]*?)"
    r"^-----END (?P=type)-----[ \t\r]*$",
    re.MULTILINE,
)
_FAILURES: dict[type[Any], str] = {
    ec.EllipticCurvePublicKey: "x509: ECDSA verification failure",
    ed25519.Ed25519PublicKey: "x509: Ed25519 verification failure",
    rsa.RSAPublicKey: "crypto/rsa: verification error",
}


@dataclass(frozen=True, slots=True)
class Block:
    """One block: what it says it is, its headers, and what is in it."""

    type: str
    headers: str
    data: bytes


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a text, in order."""
    for found in _BLOCK.finditer(text):
        try:
            data = base64.b64decode("".join(found["body"].split()), validate=True)
        except binascii.Error:
            continue
        yield Block(found["type"], found["headers"], data)


def encoded(data: bytes, kind: str = CERTIFICATE) -> bytes:
    """One block, in lines of 64."""
    body = base64.b64encode(data).decode()
    lines = [body[at : at + _LINE] for at in range(0, len(body), _LINE)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""]).encode()


def certificate(data: bytes) -> x509.Certificate:
    """A certificate. Raises ValueError for what is none."""
    return x509.load_der_x509_certificate(data)


def wrong_with_certificates(text: str) -> str:
    """What is wrong with what should be one or more certificates; empty for nothing."""
    count = 0
    for block in blocks(text):
        if block.type != CERTIFICATE:
            return f'only CERTIFICATE PEM blocks are allowed, found "{block.type}"'
        if block.headers:
            return "no PEM block headers are permitted"
        try:
            certificate(block.data)
        except ValueError as problem:
            return str(problem)
        count += 1
    return "" if count else "must contain at least one CERTIFICATE PEM block"


def wrong_with_request(text: str) -> str:
    """What is wrong with what should be a signed request for a certificate; empty for nothing."""
    block = next(blocks(text), None)
    if block is None or block.type != "CERTIFICATE REQUEST":
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        request = x509.load_der_x509_csr(block.data)
    except ValueError as problem:
        return str(problem)
    return wrong_with_signature(request)


def wrong_with_signature(request: x509.CertificateSigningRequest) -> str:
    """Whether whoever signed the request has the key that it is about."""
    try:
        if request.is_signature_valid:
            return ""
        key = request.public_key()
    except (UnsupportedAlgorithm, ValueError) as problem:
        return str(problem)
    return next((words for kind, words in _FAILURES.items() if isinstance(key, kind)), "invalid signature")


def is_authority(found: x509.Certificate) -> bool:
    """Whether the certificate may sign others."""
    try:
        return found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False
