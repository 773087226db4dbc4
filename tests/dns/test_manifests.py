"""What bootstrap applies for DNS."""

import pytest

from pilothouse.api.machinery.schema import Schemas, check
from pilothouse.api.types.core_v1 import Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.key import Key
from pilothouse.dns.manifests import endpoint_slice, manifests, service
from pilothouse.dns.records import service_records
from pilothouse.proxy.table import service_table


@pytest.mark.parametrize("index", range(4))
def test_of_the_schema(index: int) -> None:
    manifest = manifests("10.96.0.10")[index]
    group, _, version = manifest["apiVersion"].rpartition("/")
    findings = check(Schemas().kind(group, version, manifest["kind"]), manifest)
    assert not findings.errors
    assert not findings.unknown


def test_names_ports_and_is_left_alone_by_the_proxy() -> None:
    view, piece = Service(service("10.96.0.10")), EndpointSlice(endpoint_slice("10.96.0.10"))
    records = service_records(view, (), "cluster.local")
    assert {r.name for r in records if r.type == "SRV"} == {
        "_dns._udp.kube-dns.kube-system.svc.cluster.local",
        "_dns-tcp._tcp.kube-dns.kube-system.svc.cluster.local",
    }
    assert not service_table([view], {Key("kube-system", "kube-dns"): [piece]}, "n1").portals
