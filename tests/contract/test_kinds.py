"""Kinds of other sigs, as objects: the same steps for each."""

import base64
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.api import Api, Json
from contract.conformance import Checks, conformance
from contract.operations import Operations, annotation, condition
from contract.pods import pause_pod

NETWORKING = "networking.k8s.io/v1"


@conformance("IngressClass API should support creating IngressClass API operations")
def test_ingress_classes(api: Api, check: Checks, unique: str) -> None:
    steps = Operations(api, check, NETWORKING, "IngressClass", "ingressclasses", unique)
    steps.discovered()
    steps.made({"spec": {"controller": "example.com/controller"}})
    steps.changed()
    steps.ended()


def _balanced(address: str) -> Json:
    return {"loadBalancer": {"ingress": [{"ip": address}]}}


@conformance("Ingress API should support creating Ingress API operations")
def test_ingresses(api: Api, check: Checks, unique: str, namespace: str) -> None:
    steps = Operations(api, check, NETWORKING, "Ingress", "ingresses", unique, namespace, parts=("status",))
    steps.discovered()
    backend = {"service": {"name": "default-backend", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "ImplementationSpecific", "backend": backend}
    steps.made({"spec": {"defaultBackend": backend, "rules": [{"host": "foo.bar.com", "http": {"paths": [path]}}]}})
    steps.listed_everywhere()
    steps.changed()
    patch = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": _balanced("169.1.1.1")}
    after = steps.objects.patch(steps.name, patch, part="status")
    check("status-patched", after["status"], _balanced("169.1.1.1"))
    check("status-annotated", annotation(after, "patchedstatus"), "true")
    after = steps.objects.change(steps.name, lambda item: item.update(status=_balanced("169.1.1.2")), "status")
    check("status-updated", after["status"], _balanced("169.1.1.2"))
    uid = steps.created["metadata"]["uid"]
    check("status-read", steps.objects.get(steps.name, "status")["metadata"]["uid"], uid)
    steps.ended()


@conformance("EndpointSlice should support creating EndpointSlice API operations")
def test_endpoint_slices(api: Api, check: Checks, unique: str, namespace: str) -> None:
    steps = Operations(api, check, "discovery.k8s.io/v1", "EndpointSlice", "endpointslices", unique, namespace)
    steps.discovered()
    steps.made({"addressType": "IPv4", "endpoints": [{"addresses": ["1.2.3.4", "5.6.7.8"]}]})
    steps.listed_everywhere()
    steps.changed()
    steps.ended()


@conformance("RuntimeClass should support RuntimeClasses API operations")
def test_runtime_classes(api: Api, check: Checks, unique: str) -> None:
    steps = Operations(api, check, "node.k8s.io/v1", "RuntimeClass", "runtimeclasses", unique)
    steps.discovered()
    steps.made({"handler": "example"})
    steps.changed()
    steps.ended()


@conformance("CronJob should support CronJob API operations")
def test_cron_jobs(api: Api, check: Checks, unique: str, namespace: str) -> None:
    steps = Operations(api, check, "batch/v1", "CronJob", "cronjobs", unique, namespace, parts=("status",))
    steps.discovered()
    template = {"spec": pause_pod("", spec={"restartPolicy": "OnFailure"})["spec"]}
    spec = {"schedule": "* */1 * * ?", "concurrencyPolicy": "Replace", "suspend": True}
    steps.made({"spec": {**spec, "jobTemplate": {"spec": {"template": template}}}})
    steps.listed_everywhere()
    steps.changed()
    time = "2026-01-01T00:00:00Z"
    patch: Json = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": {"lastScheduleTime": time}}
    after = steps.objects.patch(steps.name, patch, part="status")
    check("status-patched", after["status"]["lastScheduleTime"], time)
    check("status-annotated", annotation(after, "patchedstatus"), "true")
    later = "2026-01-01T00:01:00Z"
    after = steps.objects.change(steps.name, lambda item: item["status"].update(lastScheduleTime=later), "status")
    check("status-updated", after["status"]["lastScheduleTime"], later)
    uid = steps.created["metadata"]["uid"]
    check("status-read", steps.objects.get(steps.name, "status")["metadata"]["uid"], uid)
    steps.ended()


@conformance("CSIStorageCapacity should support CSIStorageCapacities API operations")
def test_storage_capacities(api: Api, check: Checks, unique: str, namespace: str) -> None:
    version = "storage.k8s.io/v1"
    steps = Operations(api, check, version, "CSIStorageCapacity", "csistoragecapacities", unique, namespace)
    steps.discovered()
    steps.made({"storageClassName": "e2e-storage-class-1"})
    steps.listed_everywhere()
    steps.changed()
    steps.ended()


def _request() -> str:
    """A certificate signing request, base64, of a key that nobody keeps."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "e2e.example.com")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    signed = request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


@conformance("Certificates API should support CSR API operations")
def test_signing_requests(api: Api, check: Checks, unique: str) -> None:
    version, kind = "certificates.k8s.io/v1", "CertificateSigningRequest"
    parts = ("approval", "status")
    steps = Operations(api, check, version, kind, "certificatesigningrequests", unique, parts=parts)
    steps.discovered()
    signer = {"signerName": "example.com/e2e-signer", "expirationSeconds": 3600}
    steps.made({"spec": {"request": _request(), "usages": ["digital signature", "key encipherment"], **signer}})
    steps.changed()
    objects, uid = steps.objects, steps.created["metadata"]["uid"]
    for part, what in (("approval", "Approval"), ("status", "Status")):
        check(f"{part}-read", objects.get(steps.name, part)["metadata"]["uid"], uid)
        reason = {"status": "True", "reason": "e2e"}
        patch: Json = {"metadata": {"annotations": {f"patched{part}": "true"}}}
        patch["status"] = {"conditions": [*_conditions(objects.get(steps.name)), {"type": f"{what}Patch", **reason}]}
        after = objects.patch(steps.name, patch, part=part)
        check(f"{part}-patched", condition(after, f"{what}Patch"))
        check(f"{part}-annotated", annotation(after, f"patched{part}"), "true")

        def add(item: Json, what: str = what) -> None:
            item["status"]["conditions"].append({"type": f"{what}Update", "status": "True", "reason": "E2E"})

        check(f"{part}-updated", condition(objects.change(steps.name, add, part), f"{what}Update"))
    steps.ended()


def _conditions(item: Json) -> list[Any]:
    return list(item.get("status", {}).get("conditions", []))
