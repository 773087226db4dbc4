"""The cluster's certificates: an authority, and what it signs for servers and clients.

A client's common name is its user, its organizations are its groups. Keys are P-256: a handshake costs a fraction of
RSA's. Serial numbers and keys come from the system's own generator, never from Chance. (RFC 5280; Kubernetes' "PKI
certificates and requirements".)
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pilothouse.runtime.clock import Instant

DAY = 86_400.0
YEAR = 365 * DAY
BACKDATE = 300.0
"""Certificates are valid from a little before now: clocks of two machines differ."""


Extension = tuple[x509.ExtensionType, bool]
"""What a certificate says besides, and whether who does not understand it must refuse the certificate."""


class Usage(Enum):
    """What a certificate is shown for."""

    SERVER = "server"
    CLIENT = "client"
    BOTH = "both"


_EXTENDED = {
    Usage.SERVER: [ExtendedKeyUsageOID.SERVER_AUTH],
    Usage.CLIENT: [ExtendedKeyUsageOID.CLIENT_AUTH],
    Usage.BOTH: [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
}


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, as PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and its public half, as PEM: for signing service-account tokens (ES256)."""

    private: bytes
    public: bytes


def new_signing_key() -> SigningKey:
    """Make a key pair for tokens."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return SigningKey(_key_pem(key), public)


class Authority:
    """A certificate authority with its key at hand."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._certificate = certificate
        self._key = key

    @classmethod
    def create(cls, name: str, now: Instant, lifetime: float = 10 * YEAR) -> Self:
        """Make a new authority that signs itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, subject, key.public_key(), now - BACKDATE, now + lifetime)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_usage(digital_signature=True, sign_certificates=True), critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def load(cls, certificate: bytes, key: bytes) -> Self:
        """Read an authority from PEM. Raises ValueError for anything that is not a P-256 pair belonging together."""
        private = serialization.load_pem_private_key(key, None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ValueError("the authority's key is not an elliptic-curve key")
        parsed = x509.load_pem_x509_certificate(certificate)
        if parsed.public_key() != private.public_key():
            raise ValueError("the authority's key does not belong to its certificate")
        return cls(parsed, private)

    @property
    def certificate(self) -> bytes:
        """The authority's own certificate, as PEM: what others trust."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key(self) -> bytes:
        """The authority's private key, as PEM."""
        return _key_pem(self._key)

    def issue(
        self,
        name: str,
        organizations: Sequence[str] = (),
        dns_names: Sequence[str] = (),
        addresses: Sequence[str] = (),
        *,
        usage: Usage,
        now: Instant,
        lifetime: float = YEAR,
    ) -> KeyPair:
        """Make a key and a certificate for `name`, which never outlives the authority's own."""
        key = ec.generate_private_key(ec.SECP256R1())
        parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, item) for item in organizations]
        subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])
        extensions: list[Extension] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(digital_signature=True, sign_certificates=False), True),
            (x509.ExtendedKeyUsage(_EXTENDED[usage]), False),
        ]
        names: list[x509.GeneralName] = [x509.DNSName(item) for item in dns_names]
        names += [x509.IPAddress(ipaddress.ip_address(item)) for item in addresses]
        if names:
            extensions.append((x509.SubjectAlternativeName(names), False))
        certificate = self.certify(subject, key.public_key(), extensions, begin=now - BACKDATE, end=now + lifetime)
        return KeyPair(certificate, _key_pem(key))

    @property
    def end(self) -> Instant:
        """When the authority's own certificate ends."""
        return self._certificate.not_valid_after_utc.timestamp()

    def certify(
        self,
        subject: x509.Name,
        key: CertificatePublicKeyTypes,
        extensions: Iterable[Extension],
        *,
        begin: Instant,
        end: Instant,
    ) -> bytes:
        """A certificate for somebody else's key, as PEM, which never outlives the authority's own."""
        builder = _builder(subject, self._certificate.subject, key, begin, min(end, self.end))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        builder = builder.add_extension(self._identifier(), critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _identifier(self) -> x509.AuthorityKeyIdentifier:
        own = self._certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own.value)


def expiry(certificate: bytes) -> Instant:
    """When a PEM certificate ends."""
    return x509.load_pem_x509_certificate(certificate).not_valid_after_utc.timestamp()


def shown_names(certificate: bytes) -> frozenset[str]:
    """The DNS names and addresses that a PEM certificate is good for."""
    extensions = x509.load_pem_x509_certificate(certificate).extensions
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset([*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: CertificatePublicKeyTypes, begin: Instant, until: Instant
) -> x509.CertificateBuilder:
    start = datetime.fromtimestamp(begin, UTC).replace(microsecond=0)
    end = max(datetime.fromtimestamp(until, UTC).replace(microsecond=0), start + timedelta(seconds=1))
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _usage(*, digital_signature: bool, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
