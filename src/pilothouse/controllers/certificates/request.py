"""What a CertificateSigningRequest asks for: the subject, its other names and its key, out of the PKCS #10 in it.

RFC 2986. Read as Go's standard library does: of several common names the last counts, and of other names only DNS
names, addresses, mail addresses and URIs do.
"""

import base64
import binascii
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from pilothouse.api.certificates.pem import blocks
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest

COUNTED = (x509.DNSName, x509.RFC822Name, x509.IPAddress, x509.UniformResourceIdentifier)
"""Kinds of other names, in the order in which they stand in a certificate."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants to be known as what."""

    subject: x509.Name
    key: CertificatePublicKeyTypes
    names: tuple[x509.GeneralName, ...] = ()
    """The other names that count."""

    @property
    def common_name(self) -> str:
        """The user; empty where there is none."""
        return next(reversed(self._texts(NameOID.COMMON_NAME)), "")

    @property
    def organizations(self) -> tuple[str, ...]:
        """The groups."""
        return self._texts(NameOID.ORGANIZATION_NAME)

    def has(self, kind: type[x509.GeneralName]) -> bool:
        """Whether there are other names of this kind."""
        return any(isinstance(each, kind) for each in self.names)

    def _texts(self, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
        return tuple(str(each.value) for each in self.subject.get_attributes_for_oid(oid))


def read_request(asked: CertificateSigningRequest) -> Request | None:
    """What is asked; None for what cannot be read."""
    try:
        text = base64.b64decode(asked.spec.request).decode("latin-1")
        block = next(blocks(text), None)
        if block is None or block.type != "CERTIFICATE REQUEST":
            return None
        found = x509.load_der_x509_csr(block.data)
        names = _other_names(found)
        return Request(found.subject, found.public_key(), names)
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return None


def _other_names(found: x509.CertificateSigningRequest) -> tuple[x509.GeneralName, ...]:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(each for kind in COUNTED for each in names if isinstance(each, kind))
