"""What the other modules ask of a Service's spec."""

from typing import Any

from pilothouse.api.machinery.view import JsonObject

HEADLESS = "None"
"""The cluster IP of a Service that has none on purpose."""


def is_headless(spec: JsonObject) -> bool:
    """Whether DNS answers with the pods' own addresses."""
    return (spec.get("clusterIPs") or []) == [HEADLESS]


def needs_cluster_ip(spec: JsonObject) -> bool:
    """Whether the type has cluster IPs, if only `None`."""
    return spec.get("type") != "ExternalName"


def needs_node_port(spec: JsonObject) -> bool:
    """Whether the type has node ports; a load balancer may still do without."""
    return spec.get("type") in ("NodePort", "LoadBalancer")


def allocates_node_ports(spec: JsonObject) -> bool:
    """Whether ports without a node port get one."""
    if spec.get("type") == "LoadBalancer":
        return spec.get("allocateLoadBalancerNodePorts") is not False
    return spec.get("type") == "NodePort"


def needs_health_check(spec: JsonObject) -> bool:
    """Whether a load balancer asks each node if it has pods of the Service."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def is_externally_accessible(spec: JsonObject) -> bool:
    """Whether traffic from outside the cluster can come in."""
    kind = spec.get("type")
    return kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def same(spec: JsonObject, old: JsonObject, *names: str) -> bool:
    """Whether the fields are equal; absent, null and empty are the same."""
    return all(_set(spec.get(name)) == _set(old.get(name)) for name in names)


def _set(value: Any) -> Any:
    return None if value in ("", 0, [], {}) and value is not False else value
