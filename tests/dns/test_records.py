"""The names one service gives rise to; most of the specification's table is in test_zone."""

from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.dns.records import reverse_name, service_records

DOMAIN = "cluster.local"


def service(**spec: Any) -> Service:
    return Service({"metadata": {"name": "db", "namespace": "ns"}, "spec": spec})


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"clusterIP": ""}, []),
        ({"type": "ExternalName"}, []),
        ({"type": "ExternalName", "externalName": ".".join("x" * 63 for _ in range(4))}, []),
        ({"type": "ExternalName", "externalName": "192.0.2.1"}, [("A", "192.0.2.1")]),
        ({"type": "ExternalName", "externalName": "X.org."}, [("CNAME", "x.org")]),
        ({"clusterIP": "10.96.0.7"}, [("A", "10.96.0.7"), ("PTR", "db.ns.svc.cluster.local")]),
        ({"clusterIP": "None"}, []),
    ],
)
def test_records(spec: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert [(r.type, r.value) for r in service_records(service(**spec), (), DOMAIN)] == expected


def test_endpoint_in_two_slices_is_one_record() -> None:
    piece = EndpointSlice({"addressType": "IPv4", "endpoints": [{"addresses": ["10.1.0.1"]}]})
    records = service_records(service(clusterIP="None"), (piece, piece), DOMAIN)
    assert len(records) == len(set(records)) == 3


def test_slices_of_names_are_not_addresses() -> None:
    piece = EndpointSlice({"addressType": "FQDN", "endpoints": [{"addresses": ["example.org"]}]})
    assert not service_records(service(clusterIP="None"), (piece,), DOMAIN)


@pytest.mark.parametrize(
    ("address", "name"), [("10.1.2.3", "3.2.1.10.in-addr.arpa"), ("::1", "1" + ".0" * 31 + ".ip6.arpa")]
)
def test_reverse_name(address: str, name: str) -> None:
    assert reverse_name(address) == name
