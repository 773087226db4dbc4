"""Requests for certificates, made for one test."""

import base64
import ipaddress
from collections.abc import Sequence
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.controllers.certificates.request import Request, read_request
from pilothouse.controllers.certificates.signers import KUBELET_CLIENT

KEY = ec.generate_private_key(ec.SECP256R1())
CLIENT = ("client auth", "digital signature", "key encipherment")
SERVING = ("server auth", "digital signature", "key encipherment")
OTHER_NAMES = {
    "dns": x509.DNSName("one.example"),
    "email": x509.RFC822Name("ann@example.org"),
    "ip": x509.IPAddress(ipaddress.ip_address("192.0.2.7")),
    "uri": x509.UniformResourceIdentifier("spiffe://example.org/ann"),
    "id": x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
}

Subject = tuple[tuple[x509.ObjectIdentifier, str], ...]


def subject(name: str = "system:node:one", organizations: Sequence[str] = ("system:nodes",)) -> Subject:
    """Who it should be for."""
    return (*((NameOID.ORGANIZATION_NAME, each) for each in organizations), (NameOID.COMMON_NAME, name))


@cache
def pem(who: Subject, names: tuple[str, ...] = ()) -> str:
    """A signed request in base64, as an object has it; `names` are of OTHER_NAMES."""
    wanted = x509.Name([x509.NameAttribute(oid, value) for oid, value in who])
    builder = x509.CertificateSigningRequestBuilder().subject_name(wanted)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    if names:
        other = x509.SubjectAlternativeName([OTHER_NAMES[name] for name in names])
        builder = builder.add_extension(other, critical=False)
    return base64.b64encode(builder.sign(KEY, SHA256()).public_bytes(Encoding.PEM)).decode()


def manifest(
    name: str = "asked",
    who: Subject | None = None,
    names: tuple[str, ...] = (),
    *,
    signer: str = KUBELET_CLIENT,
    usages: Sequence[str] = CLIENT,
    **spec: Any,
) -> dict[str, Any]:
    """A CertificateSigningRequest, by default that of a node for its client certificate."""
    request = pem(subject() if who is None else who, names)
    return {
        "metadata": {"name": name},
        "spec": {"request": request, "signerName": signer, "usages": [*usages], **spec},
    }


def asked(*conditions: str, certificate: str = "", **more: Any) -> CertificateSigningRequest:
    """The same as a controller sees it, with conditions of these types."""
    found = [{"type": each, "status": "True"} for each in conditions]
    return CertificateSigningRequest({**manifest(**more), "status": {"conditions": found, "certificate": certificate}})


def request(who: Subject | None = None, *names: str) -> Request:
    """What is read from it."""
    found = read_request(CertificateSigningRequest(manifest(who=who, names=names)))
    assert found is not None
    return found
