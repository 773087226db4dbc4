"""sig-auth: PodCertificateRequests, as objects; what a signer writes into them is one certificate made here."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.api import APPLY, JSON_PATCH, MERGE, STRATEGIC, Api, Json, Objects
from contract.conformance import Checks, conformance
from contract.operations import condition

LABEL = "test.podcertificaterequest.example.com"
MANAGER = "contract"
FORMS = (STRATEGIC, APPLY, MERGE, JSON_PATCH)


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


@pytest.fixture
def requests(api: Api, namespace: str) -> Objects:
    return api.objects("certificates.k8s.io/v1", "PodCertificateRequest", namespace)


def _patch(objects: Objects, name: str, form: str, change: Json, operations: list[Json], part: str = "") -> Json:
    """The same change, written in one of the forms."""
    if form == JSON_PATCH:
        return objects.patch(name, operations, form, part)
    whole = {"apiVersion": objects.version, "kind": objects.kind, "metadata": {"name": name}, **change}
    if form != APPLY:
        return objects.patch(name, change, form, part)
    return objects.patch(name, whole, form, part, manager=MANAGER, force="true")


@conformance("PodCertificateRequest API should support PodCertificateRequest API operations")
def test_pod_certificate_requests(api: Api, requests: Objects, check: Checks, unique: str) -> None:
    material, selector = Material.new(), f"e2e={unique}"
    names = {found["name"] for found in api.ask("/apis/certificates.k8s.io/v1")["resources"]}
    check("resources", {"podcertificaterequests", "podcertificaterequests/status"} <= names)
    uid = "12345678-1234-1234-1234-12345678901"
    spec = {
        "signerName": f"example.com/{unique}", "podName": "test-pod", "podUID": f"{uid}2",
        "serviceAccountName": "default", "serviceAccountUID": f"{uid}3", "nodeName": "test-node",
        "nodeUID": f"{uid}4", "maxExpirationSeconds": 86400, "stubPKCS10Request": material.request,
    }  # fmt: skip

    def made() -> str:
        metadata = {"generateName": "e2e-example-pcr-", "labels": {"e2e": unique}}
        return str(requests.create({"metadata": metadata, "spec": spec}, validation="Strict")["metadata"]["name"])

    name = made()
    check("read", spec.items() <= requests.get(name)["spec"].items())
    check("listed", (requests.names(label=selector), requests.everywhere().names(label=selector)), ([name], [name]))
    after = requests.change(name, lambda item: item["metadata"]["labels"].update({LABEL: "test"}))
    check("updated", after["metadata"]["labels"][LABEL], "test")
    for form in FORMS:
        name = made()
        change = {"metadata": {"name": name, "labels": {LABEL: "test"}}}
        adding: list[Json] = [{"op": "add", "path": f"/metadata/labels/{LABEL}", "value": "test"}]
        check("patched", _patch(requests, name, form, change, adding)["metadata"]["labels"][LABEL], "test")

    def is_granted(item: Json) -> bool:
        return bool(material.status.items() <= item["status"].items())

    name = made()
    check(
        "status-updated", is_granted(requests.change(name, lambda item: item.update(status=material.status), "status"))
    )
    check("status-read", is_granted(requests.get(name, "status")))
    for form in FORMS:
        name = made()
        operations: list[Json] = [{"op": "add", "path": "/status", "value": material.status}]
        after = _patch(requests, name, form, {"status": material.status}, operations, "status")
        check("status-patched", is_granted(after) and condition(after, "Issued")["reason"] == "E2E")
    requests.delete(name)
    requests.until_gone(name, 30)
    check("gone", True)
    requests.delete_all(label=selector)
    requests.until(lambda items: not items, 30, label=selector)
    check("none-left", True)
