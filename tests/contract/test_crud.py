"""Kinds whose conformance is that each call to the API works: the same steps for each.

Upstream runs an informer beside and looks at its events after each step; here it is a watch.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.api import APPLY, JSON_PATCH, MERGE, STRATEGIC, Api, Json
from contract.conformance import Checks, conformance
from contract.operations import is_newer, valid_version

LABEL = "e2e-test.kubernetes.io"
RESOURCE = "resource.k8s.io/v1"
ANNOTATED: Json = {"metadata": {"annotations": {"changed": "true"}}}


@dataclass
class Case:
    """A kind: what is made, and how its status is changed where it has one."""

    version: str
    kind: str
    plural: str
    initial: Json
    status: Json = field(default_factory=dict)
    """The status as it is set."""
    namespaced: bool = False
    name: str = "test"


def _run(api: Api, check: Checks, namespace: str, case: Case) -> None:
    objects = api.objects(case.version, case.kind, namespace if case.namespaced else "")
    name = case.name if case.namespaced else f"{case.name}-{namespace}"
    selector = f"{LABEL}={namespace}"
    body = {**case.initial, "metadata": {"name": name, "labels": {LABEL: namespace}}}
    check("resources", case.plural in [found["name"] for found in api.ask(f"/apis/{case.version}")["resources"]])
    since = objects.everywhere().all(label=selector)["metadata"]["resourceVersion"]
    with objects.everywhere().watch(since=since, label=selector) as changes:
        made = objects.create(body, validation="Strict")
        try:
            event = next(changes)
            check("added", (event["type"], event["object"]["metadata"]["uid"]), ("ADDED", made["metadata"]["uid"]))
            check("valid-version", valid_version(made))
            check("read", objects.get(name)["metadata"]["name"], name)
            after = objects.change(
                name, lambda item: item["metadata"].setdefault("annotations", {}).update(changed="true")
            )
            check("newer", is_newer(after, made))
            check("modified", changes.first(lambda event: event["type"] == "MODIFIED"))
            parts = [("", ANNOTATED)]
            if case.status:
                after = objects.change(name, lambda item: item.update(status=case.status), "status")
                check("status-updated", _has(after["status"], case.status))
                check("status-read", objects.get(name, "status")["metadata"]["name"], name)
                parts.append(("status", {"status": case.status}))
            for part, patch in parts:
                for form in (STRATEGIC, APPLY, MERGE, JSON_PATCH):
                    objects.delete(name)
                    check("deleted", changes.first(lambda event: event["type"] == "DELETED"))
                    made = objects.create(body)
                    _patch(check, objects, made, part, patch, form)
        finally:
            objects.delete_all(label=selector)
    objects.until(lambda items: not items, 60, label=selector)
    check("none-left", True)


def _patch(check: Checks, objects: Any, made: Json, part: str, patch: Json, form: str) -> None:
    name, uid = made["metadata"]["name"], made["metadata"]["uid"]
    sent: Any = {"apiVersion": made["apiVersion"], "kind": made["kind"], **patch}
    sent["metadata"] = {"name": name, "uid": uid, **patch.get("metadata", {})}
    more: Json = {"validation": "Strict"}
    if form == APPLY:
        more |= {"manager": "test-apply", "force": "true"}
    if form == JSON_PATCH:
        (key,) = [key for key in patch if key != "apiVersion"]
        value = patch[key]["annotations"] if key == "metadata" else patch[key]
        sent = [{"op": "add", "path": "/metadata/annotations" if key == "metadata" else f"/{key}", "value": value}]
    after = objects.patch(name, sent, form, part, **more)
    check(f"{part or 'object'}-patched", _has(after, patch) and is_newer(after, made))


def _has(found: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there, whatever else is."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(name in found and _has(found[name], wanted[name]) for name in wanted)
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(_has, found, wanted))
    return bool(found == wanted)


REQUEST: Json = {"name": "req-0", "exactly": {"deviceClassName": "example", "allocationMode": "ExactCount", "count": 1}}
CLAIM: Json = {"devices": {"requests": [REQUEST]}}


@conformance("CRUD Tests resource.k8s.io/v1 DeviceClass")
def test_device_class(api: Api, check: Checks, namespace: str) -> None:
    selectors = [{"cel": {"expression": "device.driver == 'example.com'"}}]
    _run(api, check, namespace, Case(RESOURCE, "DeviceClass", "deviceclasses", {"spec": {"selectors": selectors}}))


@conformance("CRUD Tests resource.k8s.io/v1 ResourceClaim")
def test_resource_claim(api: Api, check: Checks, namespace: str) -> None:
    result = {"request": "req-0", "driver": "example.com", "pool": "pool", "device": "dev-0"}
    status = {"allocation": {"devices": {"results": [result]}}}
    case = Case(RESOURCE, "ResourceClaim", "resourceclaims", {"spec": CLAIM}, status, namespaced=True)
    _run(api, check, namespace, case)


@conformance("CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate")
def test_resource_claim_template(api: Api, check: Checks, namespace: str) -> None:
    initial = {"spec": {"spec": CLAIM}}
    case = Case(RESOURCE, "ResourceClaimTemplate", "resourceclaimtemplates", initial, namespaced=True)
    _run(api, check, namespace, case)


@conformance("CRUD Tests resource.k8s.io/v1 ResourceSlice")
def test_resource_slice(api: Api, check: Checks, namespace: str) -> None:
    pool = {"name": "pool", "generation": 1, "resourceSliceCount": 1}
    spec = {"driver": "example.com", "allNodes": True, "pool": pool, "devices": [{"name": "dev-0"}]}
    _run(api, check, namespace, Case(RESOURCE, "ResourceSlice", "resourceslices", {"spec": spec}))


@conformance("CRUD Tests resource.k8s.io/v1 DeviceTaintRule")
def test_device_taint_rule(api: Api, check: Checks, namespace: str) -> None:
    spec = {"deviceSelector": {"driver": "example.com"}, "taint": {"key": "example.com/taint", "effect": "NoSchedule"}}
    _run(
        api, check, namespace, Case(RESOURCE, "DeviceTaintRule", "devicetaintrules", {"spec": spec}, _condition("E2E"))
    )


def _condition(kind: str) -> Json:
    time = "2026-01-01T00:00:00Z"
    return {
        "conditions": [{"type": kind, "status": "True", "reason": "E2E", "message": "m", "lastTransitionTime": time}]
    }


@conformance("StorageVersionMigration CRUD Tests storagemigration.k8s.io/v1 StorageVersionMigration")
def test_storage_version_migration(api: Api, check: Checks, namespace: str) -> None:
    version, kind = "storagemigration.k8s.io/v1", "StorageVersionMigration"
    initial = {"spec": {"resource": {"group": "example.com", "resource": "nonexistent"}}}
    _run(api, check, namespace, Case(version, kind, "storageversionmigrations", initial, _condition("E2E")))


@pytest.fixture
def trust_bundle() -> str:
    """A certificate of an authority that signs nothing."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(begin).not_valid_after(begin + dt.timedelta(days=3650))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@conformance("CRUD Tests certificates.k8s.io/v1 ClusterTrustBundles")
def test_cluster_trust_bundle(api: Api, check: Checks, namespace: str, trust_bundle: str) -> None:
    initial = {"spec": {"trustBundle": trust_bundle}}
    _run(api, check, namespace, Case("certificates.k8s.io/v1", "ClusterTrustBundle", "clustertrustbundles", initial))
