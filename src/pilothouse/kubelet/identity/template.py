"""What a node wants to stand in its certificate, and whether one says so."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

NODES = "system:nodes"
"""The group of all nodes."""


@dataclass(frozen=True, slots=True)
class Template:
    """Who is named, and as which hosts."""

    user: str
    """The common name."""
    dns_names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    def request(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        """A request for this key, as PEM."""
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, NODES),
                x509.NameAttribute(NameOID.COMMON_NAME, self.user),
            ]
        )
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in self.dns_names]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in self.addresses]
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)

    def lack(self, certificate: bytes) -> str:
        """What a certificate does not say, and should; empty for nothing. It may say more."""
        found = x509.load_pem_x509_certificate(certificate)
        users = _texts(found, NameOID.COMMON_NAME)
        if self.user not in users:
            return f"Current certificate CN ({''.join(users)}) does not match requested CN ({self.user})"
        dns_names, addresses = _names(found)
        for what, wanted, there in (
            ("DNS names", self.dns_names, dns_names),
            ("IP addresses", self.addresses, addresses),
            ("orgs", (NODES,), _texts(found, NameOID.ORGANIZATION_NAME)),
        ):
            if missing := sorted({*wanted} - {*there}):
                return f"Current certificate is missing requested {what} [{' '.join(missing)}]"
        return ""


def client_template(node_name: str) -> Template:
    """A node's client certificate."""
    return Template(f"system:node:{node_name}")


def serving_template(node_name: str, addresses: Sequence[Mapping[str, str]]) -> Template:
    """The serving certificate of a node with these `addresses` in its status."""
    hosts, numbers = set(), set()
    for each in addresses:
        text = each["address"]
        if _is_address(text):
            if not each["type"].endswith("DNS"):
                numbers.add(text)
        elif each["type"] == "Hostname" or each["type"].endswith("DNS"):
            hosts.add(text)
    return Template(f"system:node:{node_name}", tuple(sorted(hosts)), tuple(sorted(numbers)))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _texts(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(str(each.value) for each in certificate.subject.get_attributes_for_oid(oid))


def _names(certificate: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    return (
        tuple(names.get_values_for_type(x509.DNSName)),
        tuple(str(each) for each in names.get_values_for_type(x509.IPAddress)),
    )
