"""Authorities for certificates: self-signed ones, those below another, and what they sign."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_YEAR = timedelta(days=365)
_USES = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]


@dataclass(frozen=True)
class Authority:
    """A key and the certificate of it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls, name: str) -> Self:
        """One that vouches for itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(key, _authority(name, key, _name(name), key))

    def below(self, name: str) -> "Authority":
        """One that this one vouches for."""
        key = ec.generate_private_key(ec.SECP256R1())
        return Authority(key, _authority(name, key, self.certificate.subject, self.key))

    @property
    def pem(self) -> str:
        """The certificate."""
        return pem(self.certificate)

    def issue(
        self, key: ec.EllipticCurvePublicKey, begin: datetime, end: datetime, *names: x509.GeneralName
    ) -> x509.Certificate:
        """A certificate of the key for servers and clients, of no name but these."""
        signer = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        return (
            x509.CertificateBuilder(self.certificate.subject, x509.Name([]), key, x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_USES), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer), critical=False)
            .sign(self.key, hashes.SHA256())
        )


def pem(certificate: x509.Certificate) -> str:
    """A certificate as text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=authority, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _authority(
    name: str, key: ec.EllipticCurvePrivateKey, signer: x509.Name, by: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    identifier = x509.SubjectKeyIdentifier.from_public_key(by.public_key())
    return (
        x509.CertificateBuilder(signer, _name(name), key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + _YEAR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(by, hashes.SHA256())
    )
