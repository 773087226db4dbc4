"""Certificates and requests for certificates as objects carry them, made for one test."""

import base64
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
KEY = ed25519.Ed25519PrivateKey.generate()
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])


def request(key: Key = KEY) -> x509.CertificateSigningRequest:
    """A request that says nothing but the key."""
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256()
    return x509.CertificateSigningRequestBuilder().subject_name(NAME).sign(key, algorithm)


def encoded(data: bytes) -> str:
    """Bytes as JSON has them."""
    return base64.b64encode(data).decode()


def request_pem(key: Key = KEY) -> str:
    """The same as text in base64, as a CertificateSigningRequest has it."""
    return encoded(request(key).public_bytes(Encoding.PEM))


def certificate_pem(
    key: Key = KEY, *, authority: bool = False, hours: float = 24, names: tuple[str, ...] = (), serial: int = 1
) -> str:
    """A certificate that signs itself, from BEGIN on."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + timedelta(hours=hours))
    )
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256()
    return builder.sign(key, algorithm).public_bytes(Encoding.PEM).decode()
