"""Issuing: the certificate that answers a request.

It takes over what of the subject has a name of its own, the other names, and the usages; nothing else that stands in
a request is signed. It begins five minutes ago and ends when asked to, within the signer's bounds and its authority's
life; one of a few hours is not shortened by those five minutes. Source of the facts: pkg/controller/certificates/
authority/policies.go, signer/signer.go; Go's crypto/x509, which writes the certificates.
"""

from collections.abc import Mapping, Sequence

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from pilothouse.controllers.certificates.request import Request
from pilothouse.net.pki import BACKDATE, YEAR, Authority, Extension
from pilothouse.runtime.clock import Instant

LONGEST = YEAR
"""How long what a signer signs lasts when nobody asks for less."""
_SHORTEST = 600.0
_SHORT = 8 * 3600.0
"""Below this, the five minutes would be felt."""
_KEPT = (
    NameOID.COUNTRY_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.LOCALITY_NAME,
    NameOID.STATE_OR_PROVINCE_NAME, NameOID.STREET_ADDRESS, NameOID.POSTAL_CODE, NameOID.COMMON_NAME,
    NameOID.SERIAL_NUMBER,
)  # fmt: skip
"""What of a subject is signed, in this order. A user's UID, for one, is not: nobody has checked it."""
_SINGLE = (NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER)
_EXTENDED: Mapping[str, ObjectIdentifier] = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": ObjectIdentifier("2.16.840.1.113730.4.1"),
}
"""In the order in which they stand in a certificate."""


class AuthorityEndedError(Exception):
    """The authority signs nothing any more."""


def issue(
    authority: Authority,
    request: Request,
    usages: Sequence[str],
    requested: float | None,
    now: Instant,
    longest: float = LONGEST,
) -> bytes:
    """The certificate, as PEM; `requested` are the seconds it should last. Raises AuthorityEndedError."""
    if now >= authority.end:
        raise AuthorityEndedError("the authority's own certificate has ended")
    lasts = longest if requested is None else min(max(requested, _SHORTEST), longest)
    end = now + lasts if lasts < _SHORT else now + lasts - BACKDATE
    subject = signed_subject(request.subject)
    extensions = [*_usages(usages), (x509.BasicConstraints(ca=False, path_length=None), True)]
    if request.names:
        # Where nothing else says whose it is, the names must be understood.
        extensions.append((x509.SubjectAlternativeName(request.names), not subject.rdns))
    return authority.certify(subject, request.key, extensions, begin=now - BACKDATE, end=end)


def signed_subject(subject: x509.Name) -> x509.Name:
    """What of a requested subject is signed: values of one kind stand together."""
    parts = []
    for oid in _KEPT:
        found = [*dict.fromkeys(each for each in subject.get_attributes_for_oid(oid) if isinstance(each.value, str))]
        if oid in _SINGLE:
            found = [each for each in found[-1:] if each.value]
        if found:
            parts.append(x509.RelativeDistinguishedName(found))
    return x509.Name(parts)


def _usages(usages: Sequence[str]) -> list[Extension]:
    found: list[Extension] = []
    agreement = "key agreement" in usages
    bits = {
        "digital_signature": "digital signature" in usages or "signing" in usages,
        "content_commitment": "content commitment" in usages,
        "key_encipherment": "key encipherment" in usages,
        "data_encipherment": "data encipherment" in usages,
        "key_agreement": agreement,
        "key_cert_sign": "cert sign" in usages,
        "crl_sign": "crl sign" in usages,
        # These two mean nothing without key agreement.
        "encipher_only": agreement and "encipher only" in usages,
        "decipher_only": agreement and "decipher only" in usages,
    }
    if any(bits.values()):
        found.append((x509.KeyUsage(**bits), True))
    extended = dict.fromkeys(oid for usage, oid in _EXTENDED.items() if usage in usages)
    if extended:
        found.append((x509.ExtendedKeyUsage([*extended]), False))
    return found
