"""Who receives the traffic of a service."""

from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Service
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.key import Key
from pilothouse.proxy.table import Portal, ServiceTable, service_table

READY = {"ready": True, "serving": True, "terminating": False}
ENDING = {"ready": False, "serving": True, "terminating": True}
DEAD = {"ready": False, "serving": False, "terminating": True}


def service(**spec: Any) -> Service:
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "nodePort": spec.pop("nodePort", None)}]
    whole = {"type": "ClusterIP", "clusterIP": "10.96.0.7", "ports": ports, **spec}
    return Service({"metadata": {"name": "web", "namespace": "ns"}, "spec": whole})


def endpoints(*given: tuple[str, str, dict[str, bool]], port: str = "http") -> EndpointSlice:
    items = [{"addresses": [a], "nodeName": n, "conditions": c} for a, n, c in given]
    ports = [{"name": port, "port": 8080, "protocol": "TCP"}]
    return EndpointSlice({"addressType": "IPv4", "endpoints": items, "ports": ports})


def table(of: Service, *slices: EndpointSlice) -> ServiceTable:
    return service_table([of], {Key("ns", "web"): slices}, "here")


def only(of: Service, *slices: EndpointSlice) -> Portal:
    (portal,) = table(of, *slices).portals
    return portal


def addresses(portal: Portal) -> tuple[list[str], list[str]]:
    return [t.address for t in portal.inside.targets], [t.address for t in portal.outside.targets]


@pytest.mark.parametrize(
    ("spec", "given", "inside", "outside"),
    [
        ({}, [("1", "here", READY), ("2", "there", READY)], ["1", "2"], ["1", "2"]),
        ({}, [("1", "here", ENDING), ("2", "there", READY)], ["2"], ["2"]),
        ({}, [("1", "here", ENDING), ("2", "there", DEAD)], ["1"], ["1"]),
        ({}, [("1", "here", DEAD)], [], []),
        ({"internalTrafficPolicy": "Local"}, [("1", "here", READY), ("2", "there", READY)], ["1"], ["1", "2"]),
        ({"externalTrafficPolicy": "Local"}, [("1", "here", READY), ("2", "there", READY)], ["1", "2"], ["1"]),
        ({"externalTrafficPolicy": "Local"}, [("1", "here", ENDING), ("2", "there", READY)], ["2"], ["1"]),
        ({"internalTrafficPolicy": "Local"}, [("2", "there", READY)], [], ["2"]),
    ],
)
def test_destinations(spec: dict[str, Any], given: list[Any], inside: list[str], outside: list[str]) -> None:
    portal = only(service(**spec), endpoints(*given))
    assert addresses(portal) == (inside, outside)


def test_what_a_port_says() -> None:
    portal = only(
        service(nodePort=30080, externalIPs=["192.0.2.1", "fd00::1"], sessionAffinity="ClientIP"),
        endpoints(("1", "here", READY)), endpoints(("2", "here", READY), port="other"),
    )  # fmt: skip
    assert (portal.name, portal.protocol, portal.port, portal.node_port) == ("ns/web/tcp/http", "tcp", 80, 30080)
    assert (portal.cluster_ips, portal.external_ips, portal.affinity) == (("10.96.0.7",), ("192.0.2.1",), 10800)
    assert addresses(portal) == (["1"], ["1"])
    assert portal.inside.targets[0].port == 8080


@pytest.mark.parametrize(
    "of",
    [
        service(clusterIP="None"),
        service(type="ExternalName", clusterIP=""),
        service(clusterIP="fd00::7"),
        Service({"metadata": {"name": "web", "labels": {"service.kubernetes.io/service-proxy-name": "x"}},
                 "spec": {"clusterIP": "10.96.0.7", "ports": [{"port": 80}]}}),
    ],
)  # fmt: skip
def test_services_that_are_not_ours(of: Service) -> None:
    assert not table(of, endpoints(("1", "here", READY))).portals


def test_service_that_answers_at_its_own_address_is_left_alone() -> None:
    assert not table(service(), endpoints(("10.96.0.7", "", READY))).portals


def test_service_without_endpoints_is_there_to_be_refused() -> None:
    assert not only(service()).inside.elsewhere
