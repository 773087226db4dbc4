"""EndpointSlice: a part of the addresses behind a Service, all of one address family.

Sources of the facts: pkg/apis/discovery/v1/defaults.go, pkg/apis/discovery/validation/validation.go,
pkg/registry/discovery/endpointslice/strategy.go, pkg/printers/internalversion/printers.go. API page:
discovery.k8s.io/v1 EndpointSlice.
"""

from collections.abc import Callable, Sequence

from pilothouse.api.core.endpoints import PROTOCOLS
from pilothouse.api.machinery.address_warnings import warn_of_ip
from pilothouse.api.machinery.addresses import ipv4, ipv6, validate_non_special
from pilothouse.api.machinery.columns import AGE, UNSET, show, some
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.names import (
    dns_label,
    dns_subdomain,
    label_key,
    label_value,
    validate_fully_qualified_name,
    validate_labels,
)
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.runtime.clock import Instant

_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_MAX_ENDPOINTS = 1000
_MAX_ADDRESSES = 100
_MAX_PORTS = 20000
_MAX_TOPOLOGY_LABELS = 16
_MAX_HINTS = 8
_SHOWN = 3


def default(obj: JsonObject) -> None:
    """Ports have a name, if an empty one, and are TCP unless they say otherwise."""
    for port in obj.get("ports") or ():
        if port.get("name") is None:
            port["name"] = ""
        if port.get("protocol") is None:
            port["protocol"] = "TCP"


def prepare_for_create(obj: JsonObject) -> None:
    """What v1beta1 called topology is not for writers of v1."""
    for endpoint in obj.get("endpoints") or ():
        endpoint.pop("deprecatedTopology", None)


def prepare_for_update(obj: JsonObject, old: JsonObject) -> None:
    """The same, where an endpoint has changed at all."""
    if obj.get("endpoints") != old.get("endpoints"):
        prepare_for_create(obj)


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Addresses are of the slice's type and can be reached; ports have distinct names."""
    kind = obj.get("addressType") or ""
    if not kind:
        errors.required("addressType")
    elif kind not in _ADDRESS_TYPES:
        errors.not_supported("addressType", kind, _ADDRESS_TYPES)
    endpoints = obj.get("endpoints") or ()
    if len(endpoints) > _MAX_ENDPOINTS:
        errors.too_many("endpoints", len(endpoints), _MAX_ENDPOINTS)
    else:
        for position, endpoint in enumerate(endpoints):
            _validate_endpoint(endpoint, kind, errors, index("endpoints", position))
    _validate_ports(obj.get("ports") or (), errors)


def _validate_endpoint(endpoint: JsonObject, kind: str, errors: FieldErrors, path: str) -> None:
    addresses = endpoint.get("addresses") or ()
    where = at(path, "addresses")
    if not addresses:
        errors.required(where, "must contain at least 1 address")
    elif len(addresses) > _MAX_ADDRESSES:
        errors.too_many(where, len(addresses), _MAX_ADDRESSES)
    for position, address in enumerate(addresses):
        _validate_address(address, kind, errors, index(where, position))
    if (node := endpoint.get("nodeName")) is not None:
        for wrong in dns_subdomain(node):
            errors.invalid(at(path, "nodeName"), node, wrong)
    topology = endpoint.get("deprecatedTopology") or {}
    if len(topology) > _MAX_TOPOLOGY_LABELS:
        errors.too_many(at(path, "deprecatedTopology"), len(topology), _MAX_TOPOLOGY_LABELS)
    validate_labels(topology, errors, at(path, "deprecatedTopology"))
    if (hostname := endpoint.get("hostname")) is not None:
        for wrong in dns_label(hostname):
            errors.invalid(at(path, "hostname"), hostname, wrong)
    hints = endpoint.get("hints") or {}
    _validate_hints(hints.get("forZones") or (), label_value, errors, at(path, "hints.forZones"))
    _validate_hints(hints.get("forNodes") or (), dns_subdomain, errors, at(path, "hints.forNodes"))


def _validate_address(address: str, kind: str, errors: FieldErrors, path: str) -> None:
    if kind == "FQDN":
        validate_fully_qualified_name(address, errors, path)
    elif kind in ("IPv4", "IPv6"):
        for wrong in (ipv4 if kind == "IPv4" else ipv6)(address):
            errors.invalid(path, address, wrong)
        validate_non_special(address, errors, path)


def _validate_hints(
    hints: Sequence[JsonObject], rule: Callable[[str], list[str]], errors: FieldErrors, path: str
) -> None:
    if len(hints) > _MAX_HINTS:
        errors.too_many(path, len(hints), _MAX_HINTS)
        return
    seen = set()
    for position, hint in enumerate(hints):
        name, where = hint.get("name") or "", at(index(path, position), "name")
        if name in seen:
            errors.duplicate(where, name)
        seen.add(name)
        for wrong in rule(name):
            errors.invalid(where, name, wrong)


def _validate_ports(ports: Sequence[JsonObject], errors: FieldErrors) -> None:
    if len(ports) > _MAX_PORTS:
        errors.too_many("ports", len(ports), _MAX_PORTS)
        return
    names = set()
    for position, port in enumerate(ports):
        path, name = index("ports", position), port.get("name") or ""
        if name:
            for wrong in dns_label(name):
                errors.invalid(at(path, "name"), name, wrong)
        if name in names:
            errors.duplicate(at(path, "name"), name)
        names.add(name)
        protocol = port.get("protocol")
        if protocol is None:
            errors.required(at(path, "protocol"))
        elif protocol not in PROTOCOLS:
            errors.not_supported(at(path, "protocol"), protocol, PROTOCOLS)
        if (application := port.get("appProtocol")) is not None:
            for wrong in label_key(application):
                errors.invalid(at(path, "appProtocol"), application, wrong)


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """The address type never changes."""
    if obj.get("addressType") != old.get("addressType"):
        errors.invalid("addressType", obj.get("addressType") or "", IMMUTABLE)


def warn(obj: JsonObject, _old: JsonObject | None) -> list[str]:
    """A type that nobody reads, and addresses that are written in an unusual way."""
    if obj.get("addressType") == "FQDN":
        return ["addressType: FQDN endpoints are deprecated"]
    return [
        text
        for position, endpoint in enumerate(obj.get("endpoints") or ())
        for number, address in enumerate(endpoint.get("addresses") or ())
        for text in warn_of_ip(address, f"endpoints[{position}].addresses[{number}]")
    ]


def _ports(obj: JsonObject, _now: Instant) -> str:
    texts = []
    for port in obj.get("ports") or ():
        number, name = port.get("port"), port.get("name")
        texts.append(str(number) if number is not None else "*" if name is None else name)
    return some(texts, _SHOWN, UNSET)


def _endpoints(obj: JsonObject, _now: Instant) -> str:
    addresses = [a for endpoint in obj.get("endpoints") or () for a in endpoint.get("addresses") or ()]
    return some(addresses, _SHOWN, UNSET)


RESOURCE = Resource(
    kind=EndpointSlice,
    group="discovery.k8s.io",
    version="v1",
    plural="endpointslices",
    singular="endpointslice",
    counted_metadata=("labels",),
    default=default,
    prepare_for_create=prepare_for_create,
    prepare_for_update=prepare_for_update,
    validate=validate,
    validate_update=validate_update,
    warn=warn,
    columns=(
        Column("AddressType", show("addressType")),
        Column("Ports", _ports),
        Column("Endpoints", _endpoints),
        AGE,
    ),
)
