"""What writers of a Service mean.

Source: TestDropTypeDependentFields, TestNormalizeClusterIPs and TestPatchAllocatedValues in pkg/registry/core/service.
"""

from typing import Any

import orjson
import pytest

from pilothouse.api.core.service.strategy import prepare_for_create, prepare_for_update

STORED: dict[str, Any] = {
    "type": "ClusterIP",
    "clusterIP": "10.0.0.1",
    "clusterIPs": ["10.0.0.1"],
    "ipFamilies": ["IPv4"],
    "ipFamilyPolicy": "SingleStack",
}
NODE_PORT: dict[str, Any] = {
    **STORED,
    "type": "NodePort",
    "externalTrafficPolicy": "Cluster",
    "ports": [{"name": "a", "port": 80, "nodePort": 30000}, {"name": "b", "port": 81, "nodePort": 30001}],
}
BALANCER: dict[str, Any] = {
    **NODE_PORT,
    "type": "LoadBalancer",
    "externalTrafficPolicy": "Local",
    "healthCheckNodePort": 30002,
    "allocateLoadBalancerNodePorts": True,
    "loadBalancerClass": "example.com/x",
}


def _update(spec: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    obj = orjson.loads(orjson.dumps({"spec": spec}))
    prepare_for_update(obj, {"spec": old, "status": {"loadBalancer": {}}})
    changed: dict[str, Any] = obj["spec"]
    return changed


@pytest.mark.parametrize(
    ("spec", "addresses"),
    [
        ({"clusterIP": "10.0.0.1"}, ["10.0.0.1"]),
        ({"clusterIP": "None"}, ["None"]),
        ({}, None),
        ({"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.2"]}, ["10.0.0.2"]),
    ],
)
def test_create(spec: dict[str, Any], addresses: list[str] | None) -> None:
    obj = {"spec": {**spec}, "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}}
    prepare_for_create(obj)
    assert obj["spec"].get("clusterIPs") == addresses
    assert obj["status"] == {"loadBalancer": {}}


def test_the_same_manifest_again_keeps_what_was_allocated() -> None:
    found = _update({"type": "NodePort", "ports": [{"name": "b", "port": 81}, {"name": "c", "port": 82}]}, NODE_PORT)
    assert (found["clusterIP"], found["clusterIPs"]) == ("10.0.0.1", ["10.0.0.1"])
    assert [port.get("nodePort") for port in found["ports"]] == [30001, None]


def test_a_node_port_taken_by_another_port_is_not_given_twice() -> None:
    ports = [{"name": "a", "port": 80}, {"name": "c", "port": 82, "nodePort": 30000}]
    assert "nodePort" not in _update({"type": "NodePort", "ports": ports}, NODE_PORT)["ports"][0]


def test_the_health_check_port_is_kept() -> None:
    spec = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    assert _update(spec, BALANCER)["healthCheckNodePort"] == 30002


@pytest.mark.parametrize(
    ("spec", "addresses"),
    [
        ({**STORED, "clusterIP": "None"}, ["None"]),
        ({**STORED, "clusterIP": "10.0.0.2"}, ["10.0.0.2"]),
        ({**STORED, "clusterIP": "10.0.0.2", "clusterIPs": ["10.0.0.3"]}, ["10.0.0.3"]),
    ],
)
def test_the_list_follows_the_single_address(spec: dict[str, Any], addresses: list[str]) -> None:
    assert _update(spec, STORED)["clusterIPs"] == addresses


def test_to_external_name() -> None:
    found = _update({**NODE_PORT, "type": "ExternalName"}, NODE_PORT)
    assert {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "externalTrafficPolicy"}.isdisjoint(found)
    changed = _update({**STORED, "type": "ExternalName", "ipFamilyPolicy": "PreferDualStack"}, STORED)
    assert changed["ipFamilyPolicy"] == "PreferDualStack"


def test_to_cluster_ip() -> None:
    found = _update(
        {**BALANCER, "type": "ClusterIP", "ports": [{"name": "a", "port": 80, "nodePort": 30000}]}, BALANCER
    )
    assert found["ports"] == [{"name": "a", "port": 80}]
    dropped = {"healthCheckNodePort", "allocateLoadBalancerNodePorts", "loadBalancerClass", "externalTrafficPolicy"}
    assert dropped.isdisjoint(found)


def test_what_was_changed_too_is_not_dropped() -> None:
    ports = [{"name": "a", "port": 80, "nodePort": 31000}]
    assert _update({**NODE_PORT, "type": "ClusterIP", "ports": ports}, NODE_PORT)["ports"] == ports
    kept = _update({**BALANCER, "type": "NodePort", "loadBalancerClass": "example.com/y"}, BALANCER)
    assert kept["loadBalancerClass"] == "example.com/y"


def test_status() -> None:
    ingress = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}
    obj = {"spec": {**BALANCER}, "status": {}}
    prepare_for_update(obj, {"spec": BALANCER, "status": ingress})
    assert obj["status"] == ingress
    obj = {"spec": {**STORED}, "status": ingress}
    prepare_for_update(obj, {"spec": BALANCER, "status": {"conditions": [], **ingress}})
    assert obj["status"] == {"conditions": [], "loadBalancer": {}}
