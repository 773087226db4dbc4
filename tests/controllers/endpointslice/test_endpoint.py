from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Node, Pod, Service
from pilothouse.controllers.endpointslice.endpoint import endpoint_of, families_of, identity, port_key, ports_of

TARGET = {"kind": "Pod", "namespace": "ns", "name": "a", "uid": "uid-a"}


def _pod(*, ready: str = "True", going: bool = False, ips: tuple[str, ...] = ("10.0.0.1",), **spec: Any) -> Pod:
    meta: dict[str, Any] = {"name": "a", "namespace": "ns", "uid": "uid-a"}
    if going:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    status = {"podIPs": [{"ip": ip} for ip in ips], "conditions": [{"type": "Ready", "status": ready}]}
    return Pod({"metadata": meta, "spec": {"nodeName": "n", **spec}, "status": status})


def _service(*, annotations: dict[str, str] | None = None, **spec: Any) -> Service:
    return Service({"metadata": {"name": "web", "namespace": "ns", "annotations": annotations or {}}, "spec": spec})


def _node(**labels: str) -> Node:
    return Node({"metadata": {"name": "n", "labels": labels}})


ZONED = Node({"metadata": {"name": "n", "labels": {"topology.kubernetes.io/zone": "east"}}})


@pytest.mark.parametrize(
    ("spec", "families"),
    [
        ({"ipFamilies": ["IPv4"]}, ("IPv4",)),
        ({"ipFamilies": ["IPv6", "IPv4"]}, ("IPv6", "IPv4")),
        ({"clusterIP": "10.0.0.1"}, ("IPv4",)),
        ({"clusterIP": "fd00::1"}, ("IPv6",)),
        ({"clusterIP": "None"}, ("IPv4", "IPv6")),
        ({}, ("IPv4", "IPv6")),
    ],
)
def test_the_families_of_a_service(spec: dict[str, Any], families: tuple[str, ...]) -> None:
    assert families_of(_service(**spec)) == families


@pytest.mark.parametrize(
    ("pod", "everything", "conditions"),
    [
        (_pod(), False, (True, True, False)),
        (_pod(ready="False"), False, (False, False, False)),
        (_pod(going=True), False, (False, True, True)),
        (_pod(ready="False", going=True), False, (False, False, True)),
        (_pod(ready="False"), True, (True, False, False)),
        (_pod(going=True), True, (True, True, True)),
    ],
    ids=["ready", "not ready", "ending", "ending, not ready", "all are published", "all, even ending"],
)
def test_conditions(pod: Pod, everything: bool, conditions: tuple[bool, bool, bool]) -> None:
    found = endpoint_of(pod, ZONED, _service(publishNotReadyAddresses=everything), "IPv4")
    assert found is not None
    assert found["conditions"] == dict(zip(("ready", "serving", "terminating"), conditions, strict=True))


def test_an_endpoint_says_where_and_who_it_is() -> None:
    pod = _pod(hostname="first", subdomain="web")
    assert endpoint_of(pod, ZONED, _service(), "IPv4") == {
        "addresses": ["10.0.0.1"],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        "targetRef": TARGET,
        "nodeName": "n",
        "zone": "east",
        "hostname": "first",
    }


def test_each_family_has_its_addresses() -> None:
    pod = _pod(ips=("10.0.0.1", "FD00:0::1"))
    addresses = [(endpoint_of(pod, None, _service(), family) or {}).get("addresses") for family in ("IPv4", "IPv6")]
    assert addresses == [["10.0.0.1"], ["fd00::1"]]
    assert endpoint_of(_pod(), None, _service(), "IPv6") is None


EAST, HERE = {"forZones": [{"name": "east"}]}, {"forNodes": [{"name": "n"}]}


@pytest.mark.parametrize(
    ("wanted", "pod", "node", "hints"),
    [
        pytest.param("", _pod(), ZONED, None, id="nothing preferred"),
        pytest.param("PreferClose", _pod(), ZONED, EAST, id="close"),
        pytest.param("PreferSameZone", _pod(), ZONED, EAST, id="same zone"),
        pytest.param("PreferSameNode", _pod(), ZONED, {**EAST, **HERE}, id="same node"),
        pytest.param("PreferSameNode", _pod(), _node(), HERE, id="same node, no zone"),
        pytest.param("PreferClose", _pod(), _node(), None, id="no zone"),
        pytest.param("PreferClose", _pod(ready="False"), ZONED, None, id="not ready"),
        pytest.param("Other", _pod(), ZONED, None, id="unknown"),
    ],
)
def test_hints(wanted: str, pod: Pod, node: Node, hints: dict[str, Any] | None) -> None:
    found = endpoint_of(pod, node, _service(trafficDistribution=wanted), "IPv4")
    assert found is not None
    assert found.get("hints") == hints


@pytest.mark.parametrize(
    ("annotations", "hinted"),
    [
        ({"service.kubernetes.io/topology-mode": "Auto"}, False),
        ({"service.kubernetes.io/topology-mode": "disabled"}, True),
        ({"service.kubernetes.io/topology-aware-hints": "off", "service.kubernetes.io/topology-mode": "auto"}, True),
        ({"service.kubernetes.io/topology-aware-hints": "auto"}, False),
    ],
)
def test_the_older_annotation_goes_first(annotations: dict[str, str], hinted: bool) -> None:
    service = _service(annotations=annotations, trafficDistribution="PreferClose")
    assert ("hints" in (endpoint_of(_pod(), ZONED, service, "IPv4") or {})) == hinted


def test_ports_are_found_in_each_pod() -> None:
    service = _service(ports=[
        {"name": "web", "port": 80, "targetPort": "http", "protocol": "TCP", "appProtocol": "http"},
        {"name": "dns", "port": 53, "targetPort": 5353, "protocol": "UDP"},
    ])  # fmt: skip
    pod = _pod(containers=[{"name": "c", "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]}])
    web = {"name": "web", "port": 8080, "protocol": "TCP", "appProtocol": "http"}
    dns = {"name": "dns", "port": 5353, "protocol": "UDP"}
    assert ports_of(service, pod) == [web, dns]
    assert ports_of(service, _pod()) == [dns]
    assert port_key([web, dns]) == port_key([dns, web])
    assert port_key([web]) != port_key([{**web, "appProtocol": "h2c"}])


def test_an_endpoint_stays_the_same_while_its_state_changes() -> None:
    one = endpoint_of(_pod(), ZONED, _service(), "IPv4")
    other = endpoint_of(_pod(ready="False"), None, _service(), "IPv4")
    moved = endpoint_of(_pod(ips=("10.0.0.2",)), ZONED, _service(), "IPv4")
    assert one is not None
    assert other is not None
    assert moved is not None
    assert identity(one) == identity(other) != identity(moved)
    assert identity({"addresses": ["b", "a"]}) == (("a", "b"), "", "", "")  # type: ignore[dict-item]
