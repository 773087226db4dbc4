"""Keys for pods' certificates, and the requests that prove who has them.

A request says nothing but the key: whom it is for stands in the PodCertificateRequest. KEP-4317.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
_EXPONENT = 65537


@dataclass(frozen=True, slots=True)
class KeyAndRequest:
    """A new key as PEM (PKCS#8), and the request (PKCS#10) as objects carry it."""

    key: bytes
    request: str


def _curve(curve: ec.EllipticCurve) -> Callable[[], _Key]:
    return lambda: ec.generate_private_key(curve)


def _rsa(size: int) -> Callable[[], _Key]:
    return lambda: rsa.generate_private_key(_EXPONENT, size)


_KINDS: dict[str, tuple[Callable[[], _Key], hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None]] = {
    "RSA3072": (_rsa(3072), hashes.SHA256()),
    "RSA4096": (_rsa(4096), hashes.SHA256()),
    "ECDSAP256": (_curve(ec.SECP256R1()), hashes.SHA256()),
    "ECDSAP384": (_curve(ec.SECP384R1()), hashes.SHA384()),
    "ECDSAP521": (_curve(ec.SECP521R1()), hashes.SHA512()),
    "ED25519": (ed25519.Ed25519PrivateKey.generate, None),
}


def new_key(kind: str) -> KeyAndRequest:
    """A key of this kind. Takes up to seconds. Raises ValueError for a kind that is not known."""
    if kind not in _KINDS:
        raise ValueError(f'unknown key type "{kind}"')
    generate, digest = _KINDS[kind]
    key = generate()
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, digest)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return KeyAndRequest(pem, base64.b64encode(request.public_bytes(Encoding.DER)).decode())
