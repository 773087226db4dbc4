"""Asking the API server for a certificate, and waiting for the answer.

Upstream: client-go/util/certificate/csr/csr.go.
"""

import base64

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from pilothouse.api.machinery.errors import AlreadyExists, StatusError
from pilothouse.api.types.certificates_v1 import CertificateSigningRequest
from pilothouse.client.client import Client
from pilothouse.kubelet.identity.template import Template
from pilothouse.net.pki import expiry
from pilothouse.runtime.clock import Clock, Instant

CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING_SIGNER = "kubernetes.io/kubelet-serving"
USAGES = {
    CLIENT_SIGNER: ("digital signature", "client auth"),
    SERVING_SIGNER: ("digital signature", "server auth"),
}
"""Without encipherment of keys, for which an elliptic curve is no good."""
_AGAIN = 1.0
"""Seconds until a watch that ended is begun anew."""


class NotSignedError(Exception):
    """There will be no certificate for this request; the text says why."""


async def ask(
    client: Client, template: Template, key: ec.EllipticCurvePrivateKey, signer: str, now: Instant, name: str = ""
) -> CertificateSigningRequest:
    """Ask for a certificate. One that was asked for before under the same `name`, with the same key, is taken up again.

    Raises StatusError, and NotSignedError when that name is taken by something else.
    """
    manifest = {
        "metadata": {"name": name} if name else {"generateName": "csr-"},
        "spec": {
            "request": base64.b64encode(template.request(key)).decode(),
            "signerName": signer,
            "usages": list(USAGES[signer]),
        },
    }
    try:
        return await client.create(CertificateSigningRequest, manifest)
    except AlreadyExists:
        if not name:
            raise
    found = await client.get(CertificateSigningRequest, name)
    if wrong := _difference(found, template, key, signer, now):
        raise NotSignedError(f"retrieved csr is not compatible: {wrong}")
    return found


def _difference(
    found: CertificateSigningRequest, template: Template, key: ec.EllipticCurvePrivateKey, signer: str, now: Instant
) -> str:
    """Why a request that is there is not the one that we would make."""
    theirs = x509.load_pem_x509_csr(base64.b64decode(found.spec.request))
    ours = x509.load_pem_x509_csr(template.request(key))
    if theirs.subject != ours.subject:
        return f"csr subjects differ: new: {theirs.subject.rfc4514_string()}, orig: {ours.subject.rfc4514_string()}"
    if found.spec.signerName != signer:
        return f'csr signerNames differ: new "{found.spec.signerName}", orig: "{signer}"'
    if theirs.public_key() != key.public_key():
        return "error validating signature new CSR against old key"
    if found.status.certificate and now > expiry(base64.b64decode(found.status.certificate)):
        return "one of the certificates for the CSR has expired"
    return ""


async def wait(client: Client, clock: Clock, asked: CertificateSigningRequest, patience: float) -> bytes:
    """The certificate, as PEM, once it is issued. Raises NotSignedError when it is refused or too late."""
    try:
        async with clock.timeout(patience):
            return await _follow(client, clock, asked)
    except TimeoutError:
        raise NotSignedError("timed out waiting for the condition") from None


async def _follow(client: Client, clock: Clock, asked: CertificateSigningRequest) -> bytes:
    name = asked.metadata.name
    fields = f"metadata.name={name}"
    while True:
        try:
            page = await client.list(CertificateSigningRequest, fields=fields)
            if not page.items:
                raise NotSignedError(f'csr "{name}" was deleted')
            if certificate := issued(page.items[0], asked):
                return certificate
            version = page.resource_version
            async with client.watch(CertificateSigningRequest, resource_version=version, fields=fields) as events:
                async for event in events:
                    if event.type == "DELETED":
                        raise NotSignedError(f'csr "{name}" was deleted')
                    if event.type != "BOOKMARK" and (certificate := issued(event.object, asked)):
                        return certificate
        except (StatusError, OSError):
            pass  # The server may go and come back, or not know us any more: the patience is limited.
        await clock.sleep(_AGAIN)


def issued(found: CertificateSigningRequest, asked: CertificateSigningRequest) -> bytes:
    """The certificate in it; empty as long as there is none. Raises NotSignedError when there will be none."""
    if found.metadata.uid != asked.metadata.uid:
        raise NotSignedError(f'csr "{found.metadata.name}" changed UIDs')
    approved = False
    for condition in found.status.conditions:
        told = f"reason: {condition.reason}, message: {condition.message}"
        if condition.type == "Denied":
            raise NotSignedError(f"certificate signing request is denied, {told}")
        if condition.type == "Failed":
            raise NotSignedError(f"certificate signing request failed, {told}")
        approved = approved or condition.type == "Approved"
    return base64.b64decode(found.status.certificate) if approved and found.status.certificate else b""
