"""sig-auth: PodCertificateRequests, as objects; what a signer writes into them is one certificate made here."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.api import Api, Json
from contract.conformance import Checks, conformance
from contract.crud import Case, run

LABEL = "test.podcertificaterequest.example.com"


@dataclass(frozen=True)
class Material:
    """A request for a certificate, and the status that grants it."""

    request: str
    status: Json

    @classmethod
    def new(cls) -> "Material":
        key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "e2e")])
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
        begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
        end = begin + timedelta(hours=1)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .sign(key, hashes.SHA256())
        )
        issued = {"type": "Issued", "status": "True", "reason": "E2E", "message": "Issued by E2E test",
                  "lastTransitionTime": _shown(begin)}  # fmt: skip
        status = {
            "certificateChain": certificate.public_bytes(serialization.Encoding.PEM).decode(),
            "notBefore": _shown(begin),
            "notAfter": _shown(end),
            "beginRefreshAt": _shown(begin + timedelta(minutes=15)),
            "conditions": [issued],
        }
        return cls(_base64(request.public_bytes(serialization.Encoding.DER)), status)


def _shown(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@conformance("PodCertificateRequest API should support PodCertificateRequest API operations")
def test_pod_certificate_requests(api: Api, check: Checks, namespace: str) -> None:
    material, uid = Material.new(), "12345678-1234-1234-1234-12345678901"
    spec = {
        "signerName": f"example.com/e2e-{namespace}", "podName": "test-pod", "podUID": f"{uid}2",
        "serviceAccountName": "default", "serviceAccountUID": f"{uid}3", "nodeName": "test-node",
        "nodeUID": f"{uid}4", "maxExpirationSeconds": 86400, "stubPKCS10Request": material.request,
    }  # fmt: skip
    case = Case(
        "certificates.k8s.io/v1", "PodCertificateRequest", "podcertificaterequests", {"spec": spec}, material.status,
        namespaced=True, change={"metadata": {"labels": {LABEL: "test"}}},
        json_patch={"path": f"/metadata/labels/{LABEL}", "value": "test"},
    )  # fmt: skip
    run(api, check, namespace, case)
