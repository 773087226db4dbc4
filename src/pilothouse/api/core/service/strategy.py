"""What a writer of a Service means by fields that depend on each other.

`clusterIP` is the first of `clusterIPs`; who applies the same manifest again leaves out what was allocated for him; who
changes the type keeps fields that the new type has no use for. Whatever can be divined is, the rest fails in
validation. Sources of the facts: pkg/registry/core/service/strategy.go, pkg/registry/core/service/storage/storage.go.
"""

from pilothouse.api.core.service.questions import (
    is_externally_accessible,
    needs_cluster_ip,
    needs_health_check,
    needs_node_port,
    same,
)
from pilothouse.api.machinery.strategy import keep_status
from pilothouse.api.machinery.view import JsonObject

_CLUSTER_IP_FIELDS = ("clusterIP", "clusterIPs")


def prepare_for_create(obj: JsonObject) -> None:
    """A new Service has no load balancer yet; the single cluster IP makes the list."""
    obj["status"] = {"loadBalancer": {}}
    spec = obj.setdefault("spec", {})
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def prepare_for_update(obj: JsonObject, old: JsonObject) -> None:
    """Put back what was allocated, make both cluster IP fields agree, drop what the new type has no use for."""
    keep_status(obj, old)
    spec, stored = obj.setdefault("spec", {}), old.get("spec") or {}
    _keep_allocated(spec, stored)
    _agree_on_cluster_ips(spec, stored)
    _drop_by_type(spec, stored)
    if spec.get("type") != "LoadBalancer":
        obj["status"] = {**(obj.get("status") or {}), "loadBalancer": {}}


def _keep_allocated(spec: JsonObject, old: JsonObject) -> None:
    if needs_cluster_ip(old) and needs_cluster_ip(spec):
        for name in _CLUSTER_IP_FIELDS:
            if not spec.get(name) and old.get(name):
                spec[name] = old[name]
    if needs_node_port(old) and needs_node_port(spec):
        _keep_node_ports(spec, old)
    if needs_health_check(old) and needs_health_check(spec) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = old.get("healthCheckNodePort")


def _node_ports(spec: JsonObject) -> set[int]:
    return {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}


def _keep_node_ports(spec: JsonObject, old: JsonObject) -> None:
    taken = _node_ports(old) & _node_ports(spec)
    by_name = {port.get("name") or "": port.get("nodePort") for port in old.get("ports") or ()}
    for port in spec.get("ports") or ():
        known = by_name.get(port.get("name") or "")
        if not port.get("nodePort") and known and known not in taken:
            port["nodePort"] = known


def _agree_on_cluster_ips(spec: JsonObject, old: JsonObject) -> None:
    """A client that knows the single field alone changes it; the list follows."""
    single, stored = spec.get("clusterIP") or "", old.get("clusterIP") or ""
    if single == stored or not same(spec, old, "clusterIPs"):
        return
    if single:
        spec["clusterIPs"] = [single]
    else:
        spec.pop("clusterIPs", None)


def _drop_by_type(spec: JsonObject, old: JsonObject) -> None:
    if needs_cluster_ip(old) and not needs_cluster_ip(spec):
        _drop_unchanged(spec, old, *_CLUSTER_IP_FIELDS)
        _drop_unchanged(spec, old, "ipFamilies")
        _drop_unchanged(spec, old, "ipFamilyPolicy")
    if needs_node_port(old) and not needs_node_port(spec) and _node_ports(spec) <= _node_ports(old):
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)
    if needs_health_check(old) and not needs_health_check(spec):
        _drop_unchanged(spec, old, "healthCheckNodePort")
    if old.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        _drop_unchanged(spec, old, "allocateLoadBalancerNodePorts")
        _drop_unchanged(spec, old, "loadBalancerClass")
    if is_externally_accessible(old) and not is_externally_accessible(spec):
        _drop_unchanged(spec, old, "externalTrafficPolicy")


def _drop_unchanged(spec: JsonObject, old: JsonObject, *names: str) -> None:
    if same(spec, old, *names):
        for name in names:
            spec.pop(name, None)
