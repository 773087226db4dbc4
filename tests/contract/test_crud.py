"""Kinds whose conformance is that each call to the API works: the same steps for each."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract.api import Api, Json
from contract.conformance import Checks, conformance
from contract.crud import Case, run

RESOURCE = "resource.k8s.io/v1"
REQUEST: Json = {"name": "req-0", "exactly": {"deviceClassName": "example", "allocationMode": "ExactCount", "count": 1}}
CLAIM: Json = {"devices": {"requests": [REQUEST]}}


@conformance("CRUD Tests resource.k8s.io/v1 DeviceClass")
def test_device_class(api: Api, check: Checks, namespace: str) -> None:
    selectors = [{"cel": {"expression": "device.driver == 'example.com'"}}]
    run(api, check, namespace, Case(RESOURCE, "DeviceClass", "deviceclasses", {"spec": {"selectors": selectors}}))


@conformance("CRUD Tests resource.k8s.io/v1 ResourceClaim")
def test_resource_claim(api: Api, check: Checks, namespace: str) -> None:
    result = {"request": "req-0", "driver": "example.com", "pool": "pool", "device": "dev-0"}
    status = {"allocation": {"devices": {"results": [result]}}}
    case = Case(RESOURCE, "ResourceClaim", "resourceclaims", {"spec": CLAIM}, status, namespaced=True)
    run(api, check, namespace, case)


@conformance("CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate")
def test_resource_claim_template(api: Api, check: Checks, namespace: str) -> None:
    initial = {"spec": {"spec": CLAIM}}
    case = Case(RESOURCE, "ResourceClaimTemplate", "resourceclaimtemplates", initial, namespaced=True)
    run(api, check, namespace, case)


@conformance("CRUD Tests resource.k8s.io/v1 ResourceSlice")
def test_resource_slice(api: Api, check: Checks, namespace: str) -> None:
    pool = {"name": "pool", "generation": 1, "resourceSliceCount": 1}
    spec = {"driver": "example.com", "allNodes": True, "pool": pool, "devices": [{"name": "dev-0"}]}
    run(api, check, namespace, Case(RESOURCE, "ResourceSlice", "resourceslices", {"spec": spec}))


@conformance("CRUD Tests resource.k8s.io/v1 DeviceTaintRule")
def test_device_taint_rule(api: Api, check: Checks, namespace: str) -> None:
    spec = {"deviceSelector": {"driver": "example.com"}, "taint": {"key": "example.com/taint", "effect": "NoSchedule"}}
    run(api, check, namespace, Case(RESOURCE, "DeviceTaintRule", "devicetaintrules", {"spec": spec}, _condition("E2E")))


def _condition(kind: str) -> Json:
    time = "2026-01-01T00:00:00Z"
    return {
        "conditions": [{"type": kind, "status": "True", "reason": "E2E", "message": "m", "lastTransitionTime": time}]
    }


@conformance("StorageVersionMigration CRUD Tests storagemigration.k8s.io/v1 StorageVersionMigration")
def test_storage_version_migration(api: Api, check: Checks, namespace: str) -> None:
    version, kind = "storagemigration.k8s.io/v1", "StorageVersionMigration"
    label = "test.storagemigration.example.com"
    case = Case(
        version, kind, "storageversionmigrations", {"spec": {"resource": {"group": "", "resource": "foo"}}},
        _condition("TestCondition"), change={"metadata": {"labels": {label: "test"}}},
        json_patch={"path": f"/metadata/labels/{label}", "value": "test"},
    )  # fmt: skip
    run(api, check, namespace, case)


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
    run(api, check, namespace, Case("certificates.k8s.io/v1", "ClusterTrustBundle", "clustertrustbundles", initial))
