"""What the cluster's names mean: the specification as a table."""

from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.key import Key
from pilothouse.dns.records import Record, service_records
from pilothouse.dns.zone import Outcome, Zone

DOMAIN = "cluster.local"


def service(name: str, **spec: Any) -> Service:
    return Service({"metadata": {"name": name, "namespace": "ns"}, "spec": spec})


def slice_of(*endpoints: dict[str, Any], port: int | None = 8080, family: str = "IPv4") -> EndpointSlice:
    ports = [{"name": "http", "port": port, "protocol": "TCP"}] if port else []
    return EndpointSlice({"addressType": family, "endpoints": list(endpoints), "ports": ports})


def example() -> Zone:
    zone = Zone(DOMAIN, "10.96.0.10")
    zone.set_namespace("ns", True)
    web = service("web", clusterIP="10.96.0.7", clusterIPs=["10.96.0.7", "fd00::7"],
                  ports=[{"name": "http", "port": 80, "protocol": "TCP"}, {"port": 90}])  # fmt: skip
    db = service("db", clusterIP="None", ports=[{"name": "http", "port": 8080}])
    slices = [slice_of({"addresses": ["10.1.0.1"], "hostname": "db-0"}, {"addresses": ["10.1.0.2"]},
                       {"addresses": ["10.1.0.3"], "conditions": {"ready": False}})]  # fmt: skip
    slices.append(slice_of({"addresses": ["fd00::1"]}, port=None, family="IPv6"))
    outside = service("outside", type="ExternalName", externalName="Example.ORG.")
    inside = service("inside", type="ExternalName", externalName="web.ns.svc.cluster.local")
    for each in (web, db, outside, inside):
        zone.set(Key.of(each), service_records(each, slices if each is db else (), DOMAIN))
    return zone


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("web.ns.svc.cluster.local", "A", ["10.96.0.7"]),
        ("web.ns.svc.cluster.local", "AAAA", ["fd00::7"]),
        ("_http._tcp.web.ns.svc.cluster.local", "SRV", ["web.ns.svc.cluster.local:80"]),
        ("7.0.96.10.in-addr.arpa", "PTR", ["web.ns.svc.cluster.local"]),
        ("db.ns.svc.cluster.local", "A", ["10.1.0.1", "10.1.0.2"]),
        ("db.ns.svc.cluster.local", "AAAA", ["fd00::1"]),
        ("db-0.db.ns.svc.cluster.local", "A", ["10.1.0.1"]),
        ("10-1-0-2.db.ns.svc.cluster.local", "A", ["10.1.0.2"]),
        ("1.0.1.10.in-addr.arpa", "PTR", ["db-0.db.ns.svc.cluster.local"]),
        ("_http._tcp.db.ns.svc.cluster.local", "SRV",
         ["db-0.db.ns.svc.cluster.local:8080", "10-1-0-2.db.ns.svc.cluster.local:8080"]),
        ("outside.ns.svc.cluster.local", "A", ["example.org"]),
        ("inside.ns.svc.cluster.local", "A", ["web.ns.svc.cluster.local", "10.96.0.7"]),
        ("dns-version.cluster.local", "TXT", ["1.1.0"]),
        ("cluster.local", "NS", ["ns.dns.cluster.local"]),
        ("10-1-0-9.ns.pod.cluster.local", "A", ["10.1.0.9"]),
        ("fd00--9.ns.pod.cluster.local", "AAAA", ["fd00::9"]),
        ("web.ns.svc.cluster.local", "MX", []),
        ("_tcp.web.ns.svc.cluster.local", "A", []),
        ("ns.svc.cluster.local", "A", []),
        ("svc.cluster.local", "A", []),
        ("pod.cluster.local", "A", []),
        ("ns.pod.cluster.local", "A", []),
    ],
)  # fmt: skip
def test_found(name: str, kind: str, values: list[str]) -> None:
    answer = example().answer(name, kind)
    assert answer.outcome is Outcome.FOUND
    assert [f"{r.value}:{r.port}" if r.type == "SRV" else r.value for r in answer.records] == values


@pytest.mark.parametrize(
    ("name", "kind", "outcome"),
    [
        ("none.ns.svc.cluster.local", "A", Outcome.NO_NAME),
        ("db-1.db.ns.svc.cluster.local", "A", Outcome.NO_NAME),
        ("web.other.svc.cluster.local", "A", Outcome.NO_NAME),
        ("_grpc._tcp.web.ns.svc.cluster.local", "SRV", Outcome.NO_NAME),
        ("10-1-0-9.other.pod.cluster.local", "A", Outcome.NO_NAME),
        ("10-1-0.ns.pod.cluster.local", "A", Outcome.NO_NAME),
        ("3.0.1.10.in-addr.arpa", "PTR", Outcome.NOT_OURS),
        ("example.org", "A", Outcome.NOT_OURS),
        ("notcluster.local", "A", Outcome.NOT_OURS),
    ],
)
def test_not_found(name: str, kind: str, outcome: Outcome) -> None:
    assert example().answer(name, kind).outcome is outcome


def test_srv_brings_the_addresses_of_its_targets() -> None:
    answer = example().answer("_http._tcp.db.ns.svc.cluster.local", "SRV")
    assert [r.value for r in answer.additional] == ["10.1.0.1", "10.1.0.2"]
    assert [r.weight for r in answer.records] == [50, 50]


def test_alias_that_leads_outside_is_named() -> None:
    assert example().answer("outside.ns.svc.cluster.local", "A").alias == "example.org"


def test_alias_of_itself_ends() -> None:
    zone = Zone(DOMAIN)
    zone.set(Key("ns", "a"), [Record("a.cluster.local", "CNAME", "a.cluster.local")])
    assert len(zone.answer("a.cluster.local", "A").records) == 1


def test_service_that_goes_takes_its_names_along() -> None:
    zone = example()
    before = zone.revision
    assert zone.set(Key("ns", "db"), ())
    assert zone.revision > before
    assert zone.answer("db-0.db.ns.svc.cluster.local", "A").outcome is Outcome.NO_NAME
    assert zone.answer("db.ns.svc.cluster.local", "A").outcome is Outcome.NO_NAME
    assert not zone.set(Key("ns", "db"), ())


def test_two_services_may_name_one_address() -> None:
    zone = example()
    zone.set(Key("ns", "db2"), [Record("1.0.1.10.in-addr.arpa", "PTR", "db2.ns.svc.cluster.local")])
    zone.set(Key("ns", "db"), ())
    assert [r.value for r in zone.answer("1.0.1.10.in-addr.arpa", "PTR").records] == ["db2.ns.svc.cluster.local"]


def test_external_name_that_is_an_address() -> None:
    records = service_records(service("x", type="ExternalName", externalName="192.0.2.1"), (), DOMAIN)
    assert [(r.type, r.value) for r in records] == [("A", "192.0.2.1")]
