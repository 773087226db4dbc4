"""Records: the names one Service gives rise to, as data. Pure.

A Service owns names; the zone is the union of what its services own. Kubernetes DNS-Based Service Discovery,
specification 1.1.0 (kubernetes/dns, docs/specification.md); what it leaves open follows CoreDNS: endpoints without a
hostname are named after their address, and SRV weights share 100 among the targets.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pilothouse.api.types.core_v1 import Service
from pilothouse.api.types.discovery_v1 import Endpoint, EndpointSlice

SCHEMA_VERSION = "1.1.0"
_LONGEST_TARGET = 251
"""Letters of a name that the encoder takes."""


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record of the zone; its time to live is the zone's."""

    name: str
    """In lower case, without the final dot."""
    type: str
    value: str
    """The address, the target or the text."""
    port: int = 0
    """Of SRV alone."""
    weight: int = 0


def reverse_name(address: str) -> str:
    """The name under which the PTR record of an address stands."""
    return ipaddress.ip_address(address).reverse_pointer


def service_records(service: Service, slices: Iterable[EndpointSlice], domain: str) -> list[Record]:
    """Every record that one service owns."""
    name = f"{service.metadata.name}.{service.metadata.namespace}.svc.{domain}".lower()
    spec = service.spec
    if spec.type == "ExternalName":
        return [_external(name, spec.externalName)] if 0 < len(spec.externalName) <= _LONGEST_TARGET else []
    if spec.clusterIP == "None":
        return list(_headless(name, slices))
    addresses = [a for a in (spec.clusterIPs or (spec.clusterIP,)) if a]
    if not addresses:
        return []
    records = [_address(name, address) for address in addresses]
    records += [Record(reverse_name(address), "PTR", name) for address in addresses]
    named = [port for port in spec.ports if port.name]
    records += [_service_port(name, port.name, port.protocol, port.port, name, 100) for port in named]
    return records


def _external(name: str, target: str) -> Record:
    """The alias of a name outside; upstream answers with an address where the target is one."""
    try:
        return _address(name, str(ipaddress.ip_address(target)))
    except ValueError:
        return Record(name, "CNAME", target.rstrip(".").lower())


def _address(name: str, address: str) -> Record:
    return Record(name, "AAAA" if ":" in address else "A", address)


def _service_port(name: str, port_name: str, protocol: str, port: int, target: str, weight: int) -> Record:
    return Record(f"_{port_name}._{protocol or 'TCP'}.{name}".lower(), "SRV", target, port, weight)


def _headless(name: str, slices: Iterable[EndpointSlice]) -> Iterator[Record]:
    seen: dict[Record, None] = {}
    targets: dict[tuple[str, str], dict[tuple[str, int], None]] = {}
    for piece in slices:
        if piece.addressType not in ("IPv4", "IPv6"):
            continue
        for endpoint in piece.endpoints:
            if endpoint.conditions.ready is False:
                continue
            for address in endpoint.addresses:
                own = f"{_label(endpoint, address)}.{name}"
                seen.update(dict.fromkeys((_address(name, address), _address(own, address))))
                seen[Record(reverse_name(address), "PTR", own)] = None
                for port in piece.ports:
                    if port.name and port.port is not None:
                        targets.setdefault((port.name, port.protocol), {})[own, port.port] = None
    yield from seen
    for (port_name, protocol), places in targets.items():
        weight = max(1, 100 // len(places))
        yield from (_service_port(name, port_name, protocol, port, own, weight) for own, port in places)


def _label(endpoint: Endpoint, address: str) -> str:
    return endpoint.hostname.lower() or address.replace(".", "-").replace(":", "-")
