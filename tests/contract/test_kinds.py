"""Kinds of other sigs, as objects: the same steps for each."""

import base64
import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.api import MERGE, Api, Json, Refused
from contract.conformance import Checks, conformance
from contract.operations import Operations, annotation, is_newer, valid_version
from contract.pods import pause_pod

NETWORKING = "networking.k8s.io/v1"
EVENT_SECONDS = 30
"""wait.ForeverTestTimeout of upstream's."""
HOST = "e2e.example.com"
E2E = {"status": "True", "reason": "E2E", "message": "Set from an e2e test"}


def _watched_everywhere(steps: Operations) -> None:
    """A watch of all namespaces begins where the list ended."""
    by: Json = {"label": steps.selector}
    since = steps.objects.all(**by)["metadata"]["resourceVersion"]
    with steps.objects.everywhere().watch(since=since, seconds=EVENT_SECONDS, **by):
        steps.check("watched-everywhere", True)


def _made_by_name(steps: Operations, check: Checks, template: Json, unique: str) -> None:
    """Three with names of their own; one name is not given twice; the third is seen by a watch, of each place."""
    metadata = {"labels": {"e2e-operations": steps.label}}
    first, second, third = ({**template, "metadata": {**metadata, "name": f"{unique}-{n}"}} for n in (1, 2, 3))
    objects = steps.objects
    by: Json = {"label": steps.selector}
    steps.created = objects.create(first)
    with pytest.raises(Refused) as refused:
        objects.create(first)
    check("once", refused.value.reason, "AlreadyExists")
    objects.create(second)
    with (
        objects.watch(seconds=EVENT_SECONDS, **by) as here,
        objects.everywhere().watch(seconds=EVENT_SECONDS, **by) as everywhere,
    ):
        objects.create(third)
        for changes in (here, everywhere):
            seen = {next(changes)["object"]["metadata"]["name"] for _ in range(3)}
            check("added", seen, {f"{unique}-{n}" for n in (1, 2, 3)})
    found = objects.get(steps.name)
    check("same-uid", found["metadata"]["uid"], steps.created["metadata"]["uid"])
    check("valid-version", valid_version(found))
    check("listed", len(objects.items(**by)), 3)


@conformance("IngressClass API should support creating IngressClass API operations")
def test_ingress_classes(api: Api, check: Checks, unique: str) -> None:
    steps = Operations(api, check, NETWORKING, "IngressClass", "ingressclasses", unique)
    steps.discovered()
    names = [f"ingressclass{number}-{unique}" for number in (1, 2, 3)]
    steps.made({"spec": {"controller": "example.com/controller"}}, names=names)
    steps.changed()
    steps.ended()


def _balanced(address: str) -> Json:
    return {"loadBalancer": {"ingress": [{"ip": address}]}}


@conformance("Ingress API should support creating Ingress API operations")
def test_ingresses(api: Api, check: Checks, unique: str, namespace: str) -> None:
    steps = Operations(api, check, NETWORKING, "Ingress", "ingresses", unique, namespace, parts=("status",))
    steps.discovered()
    backends = [{"service": {"name": f"{name}-backend", "port": {"number": 8080}}} for name in ("default", "test")]
    path = {"path": "/", "pathType": "ImplementationSpecific", "backend": backends[1]}
    rules = [{"host": "host3.bar.com", "http": {"paths": [path]}}]
    steps.made({"spec": {"defaultBackend": backends[0], "rules": rules}, "status": {"loadBalancer": {}}})
    steps.listed_everywhere()
    _watched_everywhere(steps)
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
    endpoints = [{"addresses": addresses} for addresses in (["1.2.3.4", "5.6.7.8"], ["2.2.3.4", "6.6.7.8"])]
    steps.made({"addressType": "IPv4", "endpoints": endpoints, "ports": None})
    steps.listed_everywhere()
    _watched_everywhere(steps)
    steps.changed()
    steps.ended()


@conformance("RuntimeClass should support RuntimeClasses API operations")
def test_runtime_classes(api: Api, check: Checks, unique: str) -> None:
    steps = Operations(api, check, "node.k8s.io/v1", "RuntimeClass", "runtimeclasses", unique)
    steps.discovered()
    _made_by_name(steps, check, {"handler": f"{unique}-handler"}, unique)
    steps.changed()
    steps.ended()


@conformance("CronJob should support CronJob API operations")
def test_cron_jobs(api: Api, check: Checks, unique: str, namespace: str) -> None:
    steps = Operations(api, check, "batch/v1", "CronJob", "cronjobs", unique, namespace)
    objects = steps.objects
    by: Json = {"label": steps.selector}
    pod = pause_pod("", spec={"restartPolicy": "OnFailure", "volumes": [{"name": "data", "emptyDir": {}}]})["spec"]
    job = {"spec": {"parallelism": 1, "completions": 1, "template": {"spec": pod}}}
    limits = {"successfulJobsHistoryLimit": 1, "failedJobsHistoryLimit": 0}
    spec = {"schedule": "* */1 * * ?", "concurrencyPolicy": "Allow", "jobTemplate": job, **limits}
    labels = {"e2e-operations": unique}
    made = steps.created = objects.create({"metadata": {"name": "test-api", "labels": labels}, "spec": spec})
    uid = made["metadata"]["uid"]
    check("same-uid", objects.get("test-api")["metadata"]["uid"], uid)
    check("valid-version", valid_version(made))
    check("listed", len(objects.items(**by)), 1)
    check("listed-everywhere", len(objects.everywhere().items(**by)), 1)
    _watched_everywhere(steps)
    steps.changed()
    patch: Json = {"metadata": {"annotations": {"patchedstatus": "true"}}}
    after = objects.patch("test-api", {**patch, "status": {"lastScheduleTime": _time()}}, MERGE, "status")
    check("status-patched", after["status"]["lastScheduleTime"][:4], _time()[:4])
    check("status-annotated", annotation(after, "patchedstatus"), "true")
    time = _time()
    after = objects.change("test-api", lambda item: item["status"].update(lastScheduleTime=time), "status")
    check("status-updated", after["status"]["lastScheduleTime"], time)
    check("status-read", objects.get("test-api", "status")["metadata"]["uid"], uid)
    objects.create({"metadata": {"name": "for-removal", "labels": labels}, "spec": spec})
    objects.delete("for-removal")
    check("gone", [item for item in objects.items(field="metadata.name=for-removal") if not _is_ending(item)], [])
    objects.delete_all(**by)
    check("none-left", [item for item in objects.items(**by) if not _is_ending(item)], [])


def _time() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_ending(item: Json) -> bool:
    """Whether only finalizers keep it."""
    return "deletionTimestamp" in item["metadata"] and bool(item["metadata"].get("finalizers"))


@conformance("CSIStorageCapacity should support CSIStorageCapacities API operations")
def test_storage_capacities(api: Api, check: Checks, unique: str, namespace: str) -> None:
    version = "storage.k8s.io/v1"
    steps = Operations(api, check, version, "CSIStorageCapacity", "csistoragecapacities", unique, namespace)
    steps.discovered()
    _made_by_name(steps, check, {"storageClassName": "e2e.example.com"}, unique)
    steps.listed_everywhere()
    steps.changed()
    steps.ended()


def _request() -> str:
    """A certificate signing request, base64, of a key that nobody keeps."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    request = request.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    signed = request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


def _certificate() -> str:
    """One that has signed itself, base64."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    begin = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(begin).not_valid_after(begin + dt.timedelta(days=365))
    signed = made.sign(key, hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


@conformance("Certificates API should support CSR API operations")
def test_signing_requests(api: Api, check: Checks, unique: str) -> None:
    version, kind, hour = "certificates.k8s.io/v1", "CertificateSigningRequest", 3600
    parts = ("approval", "status")
    steps = Operations(api, check, version, kind, "certificatesigningrequests", unique, parts=parts)
    steps.discovered()
    objects, signer = steps.objects, f"example.com/e2e-{unique}"
    by = {"field": f"spec.signerName={signer}"}
    spec = {"request": _request(), "signerName": signer, "expirationSeconds": hour,
            "usages": ["digital signature", "key encipherment", "server auth"]}  # fmt: skip
    for _ in range(3):
        made = objects.create({"metadata": {"generateName": "e2e-example-csr-"}, "spec": spec})
    name = made["metadata"]["name"]
    found = objects.get(name)
    check("same-uid", found["metadata"]["uid"], made["metadata"]["uid"])
    check("valid-version", valid_version(found))
    check("expiration", found["spec"]["expirationSeconds"], hour)
    listed = objects.all(**by)
    check("listed", len(listed["items"]), 3)
    since = listed["metadata"]["resourceVersion"]
    with objects.watch(since=since, field=f"metadata.name={name}", seconds=EVENT_SECONDS) as changes:
        after = objects.patch(name, {"metadata": {"annotations": {"patched": "true"}}}, MERGE)
        check("patched", annotation(after, "patched"), "true")
        check("newer", is_newer(after, made))
        after["metadata"]["annotations"]["updated"] = "true"
        check("updated", annotation(objects.update(after), "updated"), "true")
        event = changes.first(lambda event: annotation(event["object"], "patched") == "true")
        check("watched", event["type"], "MODIFIED")
    _approved(steps, check, made)
    _signed(steps, check, made)
    objects.delete(name)
    check("gone", not objects.exists(name))
    check("two-left", len(objects.items(**by)), 2)
    objects.delete_all(**by)
    check("none-left", objects.items(**by), [])


def _is_the_request(item: Json, made: Json) -> bool:
    return (item["apiVersion"], item["kind"], item["metadata"]["uid"]) == (
        "certificates.k8s.io/v1", "CertificateSigningRequest", made["metadata"]["uid"],
    )  # fmt: skip


def _kinds(item: Json) -> list[Any]:
    """The types of its conditions."""
    return [found["type"] for found in item.get("status", {}).get("conditions", [])]


def _approved(steps: Operations, check: Checks, made: Json) -> None:
    """Its approval is read, patched and updated, each time with what was read before."""
    objects, name = steps.objects, made["metadata"]["name"]
    check("approval-read", _is_the_request(objects.get(name, "approval"), made))
    patch: Json = {"metadata": {"annotations": {"patchedapproval": "true"}}}
    patch["status"] = {"conditions": [{"type": "ApprovalPatch", "status": "True", "reason": "e2e"}]}
    after = objects.patch(name, patch, MERGE, "approval")
    check("approval-patched", _kinds(after), ["ApprovalPatch"])
    check("approval-annotated", annotation(after, "patchedapproval"), "true")
    after["status"]["conditions"].append({"type": "Approved", **E2E})
    check("approval-updated", _kinds(objects.update(after, "approval")), ["ApprovalPatch", "Approved"])


def _signed(steps: Operations, check: Checks, made: Json) -> None:
    """So is its status, with the certificate."""
    objects, name, certificate = steps.objects, made["metadata"]["name"], _certificate()
    check("status-read", _is_the_request(objects.get(name, "status"), made))
    patch: Json = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": {"certificate": certificate}}
    after = objects.patch(name, patch, MERGE, "status")
    check("status-patched", after["status"]["certificate"], certificate)
    check("status-annotated", annotation(after, "patchedstatus"), "true")
    before = _kinds(after)
    after["status"]["conditions"].append({"type": "StatusUpdate", **E2E})
    check("status-updated", _kinds(objects.update(after, "status")), [*before, "StatusUpdate"])
