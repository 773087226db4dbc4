"""Service table: where traffic to each service goes, as seen from one node. Pure.

Services and their endpoint slices are joined port by port; traffic policies and the state of the endpoints decide who
may receive. Backends turn the table into rules. KEP-2086 (internal traffic policy), KEP-1669 (terminating endpoints).
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pilothouse.api.types.core_v1 import Service, ServicePort
from pilothouse.api.types.discovery_v1 import Endpoint, EndpointSlice
from pilothouse.client.key import Key

_AFFINITY_SECONDS = 10_800
_SERVICE_PROXY_NAME = "service.kubernetes.io/service-proxy-name"
_HEADLESS = "service.kubernetes.io/headless"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One endpoint, ready to receive."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Destinations:
    """Who receives one sort of traffic of a service port."""

    targets: tuple[Target, ...]
    local: bool
    """Only endpoints of this node may; without any, traffic is dropped, since other nodes may serve it."""
    elsewhere: bool
    """Whether there are endpoints at all, here or elsewhere."""


@dataclass(frozen=True, slots=True)
class Portal:
    """One port of one service."""

    name: str
    """NAMESPACE/NAME/PROTOCOL/PORT NAME: unique, and readable in rules."""
    protocol: str
    """tcp, udp or sctp."""
    port: int
    cluster_ips: tuple[str, ...]
    external_ips: tuple[str, ...]
    """External and load balancer addresses."""
    node_port: int
    inside: Destinations
    """For traffic to cluster IPs."""
    outside: Destinations
    """For traffic to node ports, external and load balancer addresses."""
    affinity: int = 0
    """Seconds for which a client stays with its endpoint; 0 for never."""
    sources: tuple[str, ...] = ()
    """Networks that may use the load balancer addresses; empty: all."""


@dataclass(frozen=True, slots=True)
class ServiceTable:
    """All service ports, ordered by name."""

    portals: tuple[Portal, ...] = ()
    by_name: Mapping[str, Portal] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {portal.name: portal for portal in self.portals})


def service_table(
    services: Iterable[Service], slices: Mapping[Key, Sequence[EndpointSlice]], node: str, *, ipv6: bool = False
) -> ServiceTable:
    """Join services and slices for a node, for one address family."""
    portals: list[Portal] = []
    for service in services:
        if _is_ours(service):
            portals += _portals(service, slices.get(Key.of(service), ()), node, ipv6)
    return ServiceTable(tuple(sorted(portals, key=lambda portal: portal.name)))


def _is_ours(service: Service) -> bool:
    spec, labels = service.spec, service.metadata.labels
    return (
        spec.type != "ExternalName"
        and spec.clusterIP not in ("", "None")
        and _SERVICE_PROXY_NAME not in labels
        and _HEADLESS not in labels
    )


def _portals(service: Service, slices: Sequence[EndpointSlice], node: str, ipv6: bool) -> list[Portal]:
    spec = service.spec
    cluster = _of_family(spec.clusterIPs or (spec.clusterIP,), ipv6)
    balancer = [i.ip for i in service.status.loadBalancer.ingress if i.ip and i.ipMode in ("", "VIP")]
    external = _of_family((*spec.externalIPs, *balancer), ipv6)
    affinity = 0
    if spec.sessionAffinity == "ClientIP":
        affinity = spec.sessionAffinityConfig.clientIP.timeoutSeconds or _AFFINITY_SECONDS
    found = []
    for port in spec.ports:
        endpoints = list(_endpoints(slices, port, ipv6))
        if endpoints and all(target.address in cluster for target, _ in endpoints):
            # The service answers at its own address on every node: nothing to translate (cluster DNS).
            continue
        found.append(
            Portal(
                name=f"{service.metadata.namespace}/{service.metadata.name}/{_protocol(port.protocol)}/{port.name}",
                protocol=_protocol(port.protocol),
                port=port.port,
                cluster_ips=cluster,
                external_ips=external,
                node_port=port.nodePort or 0,
                inside=_destinations(endpoints, node, local=spec.internalTrafficPolicy == "Local"),
                outside=_destinations(endpoints, node, local=spec.externalTrafficPolicy == "Local"),
                affinity=affinity,
                sources=_of_family(spec.loadBalancerSourceRanges, ipv6),
            )
        )
    return found if cluster else []


def _protocol(text: str) -> str:
    return (text or "TCP").lower()


def _of_family(addresses: Iterable[str], ipv6: bool) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a for a in addresses if a and (":" in a) == ipv6))


def _endpoints(slices: Iterable[EndpointSlice], port: ServicePort, ipv6: bool) -> Iterable[tuple[Target, Endpoint]]:
    """The endpoints behind a service port; the first address of each, as upstream."""
    family = "IPv6" if ipv6 else "IPv4"
    for piece in slices:
        if piece.addressType != family:
            continue
        for offered in piece.ports:
            if offered.name != port.name or _protocol(offered.protocol) != _protocol(port.protocol):
                continue
            if offered.port is None:
                continue
            for endpoint in piece.endpoints:
                if endpoint.addresses:
                    yield Target(endpoint.addresses[0], offered.port), endpoint


def _destinations(endpoints: Sequence[tuple[Target, Endpoint]], node: str, *, local: bool) -> Destinations:
    here = [(target, endpoint) for target, endpoint in endpoints if endpoint.nodeName == node]
    chosen = _receiving(here if local else endpoints)
    return Destinations(tuple(sorted(dict.fromkeys(chosen))), local, bool(_receiving(endpoints)))


def _receiving(endpoints: Sequence[tuple[Target, Endpoint]]) -> list[Target]:
    """Those that are ready; where none is, those that still serve while they end."""
    ready = [target for target, endpoint in endpoints if endpoint.conditions.ready is not False]
    return ready or [target for target, e in endpoints if e.conditions.serving and e.conditions.terminating]


def is_inside(address: str, network: str) -> bool:
    """Whether an address lies in a network."""
    return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
