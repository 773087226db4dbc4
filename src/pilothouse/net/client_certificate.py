"""What a client certificate says of its subject: the common name is the user, the organizations are the groups.

Source: "Authenticating: X509 client certificates" of the reference; RFC 5280, section 4.2.1.12.
"""

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def common_name(certificate: x509.Certificate) -> str:
    """The user; empty when there is none."""
    return next(iter(_texts(certificate, NameOID.COMMON_NAME)), "")


def organizations(certificate: x509.Certificate) -> tuple[str, ...]:
    """The groups."""
    return tuple(_texts(certificate, NameOID.ORGANIZATION_NAME))


def is_for_clients(certificate: x509.Certificate) -> bool:
    """Whether it may be shown by clients: a server's certificate of the same authority makes nobody its subject."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usage


def _texts(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(oid)]
