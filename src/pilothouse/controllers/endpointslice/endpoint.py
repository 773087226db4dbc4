"""Endpoint: what is published of one pod behind a Service, in one address family.

Pods that are not ready are published too, and say so; proxies choose. Where a Service would have traffic stay near,
an endpoint that is ready hints at the zone or the node it is for. KEP-1672 (terminating), KEP-4444 and KEP-3015
(trafficDistribution); upstream: staging/src/k8s.io/endpointslice/utils.go and trafficdist.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node, Pod, Service
from pilothouse.controllers.endpointslice.pods import addresses_of, hostname_of, is_headless, target_port
from pilothouse.reconcile.pods import is_ready

ZONE = "topology.kubernetes.io/zone"
_TOPOLOGY_MODE = ("service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode")
_SAME_ZONE = ("PreferClose", "PreferSameZone", "PreferSameNode")

PortKey = tuple[tuple[str, str, int, str], ...]
Identity = tuple[tuple[str, ...], str, str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """Endpoints that answer at the same ports, by their identity."""

    ports: list[JsonObject]
    endpoints: dict[Identity, JsonObject] = field(default_factory=dict)


def families_of(service: Service) -> tuple[str, ...]:
    """The address types in which it is published."""
    families = tuple([family for family in service.spec.ipFamilies if family in ("IPv4", "IPv6")])
    if families:
        return families
    if is_headless(service):
        return ("IPv4", "IPv6")
    return ("IPv6",) if ":" in service.spec.clusterIP else ("IPv4",)


def ports_of(service: Service, pod: Pod) -> list[JsonObject]:
    """The ports at which a pod answers for a Service; those whose name it does not have are left out."""
    found = []
    for port in service.spec.ports:
        number = target_port(pod, port)
        if number is None:
            continue
        one: JsonObject = {"name": port.name, "port": number, "protocol": port.protocol or "TCP"}
        if port.appProtocol:
            one["appProtocol"] = port.appProtocol
        found.append(one)
    return found


def port_key(ports: list[JsonObject]) -> PortKey:
    """What tells lists of ports apart: everything but their order."""
    return tuple(
        sorted(
            (port.get("name") or "", port.get("protocol") or "", port.get("port") or -1, port.get("appProtocol") or "")
            for port in ports
        )
    )


def endpoint_of(pod: Pod, node: Node | None, service: Service, family: str) -> JsonObject | None:
    """What to publish; None where the pod has no address of the family."""
    addresses = _of_family(pod, family)
    if not addresses:
        return None
    meta, serving = pod.metadata, is_ready(pod)
    terminating = meta.deletionTimestamp is not None
    ready = bool(service.spec.publishNotReadyAddresses) or (serving and not terminating)
    found: JsonObject = {
        "addresses": addresses,
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": {"kind": "Pod", "namespace": meta.namespace, "name": meta.name, "uid": meta.uid},
    }
    if pod.spec.nodeName:
        found["nodeName"] = pod.spec.nodeName
    zone = node.metadata.labels.get(ZONE, "") if node is not None else ""
    if zone:
        found["zone"] = zone
    if hostname := hostname_of(pod, service):
        found["hostname"] = hostname
    if ready and (hints := _hints(service, zone, pod.spec.nodeName)):
        found["hints"] = hints
    return found


def _of_family(pod: Pod, family: str) -> list[str]:
    if family == "IPv4":
        return sorted(address for address in addresses_of(pod) if ":" not in address)
    return sorted(ipaddress.ip_address(address).compressed for address in addresses_of(pod) if ":" in address)


def _hints(service: Service, zone: str, node: str) -> JsonObject:
    """Whom an endpoint is for, where the Service prefers what is near. The older annotation turns this off."""
    wanted = service.spec.trafficDistribution
    if wanted not in _SAME_ZONE or _has_topology_mode(service.metadata.annotations):
        return {}
    hints: JsonObject = {}
    if zone:
        hints["forZones"] = [{"name": zone}]
    if node and wanted == "PreferSameNode":
        hints["forNodes"] = [{"name": node}]
    return hints


def _has_topology_mode(annotations: Mapping[str, str]) -> bool:
    mode = next((annotations[name] for name in _TOPOLOGY_MODE if name in annotations), "")
    return mode in ("Auto", "auto")


def identity(endpoint: Mapping[str, JsonObject]) -> Identity:
    """What makes an endpoint the same one, though its state has changed."""
    target = endpoint.get("targetRef") or {}
    addresses = tuple(sorted(endpoint.get("addresses") or ()))
    hostname = str(endpoint.get("hostname") or "")
    return addresses, hostname, target.get("namespace") or "", target.get("name") or ""
