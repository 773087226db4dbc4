"""Endpoints: the addresses behind a Service; EndpointSlice has replaced it, old clients still read it.

Sources of the facts: pkg/apis/core/v1/defaults.go, pkg/apis/core/validation/validation.go,
pkg/printers/internalversion/printers.go. API page: core/v1 Endpoints.
"""

from pilothouse.api.machinery.addresses import ip, validate_non_special
from pilothouse.api.machinery.columns import AGE, NONE
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import dns_label, dns_subdomain, label_key, port_number
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Endpoints
from pilothouse.runtime.clock import Instant

PROTOCOLS = ("SCTP", "TCP", "UDP")
_SHOWN = 3


def default(obj: JsonObject) -> None:
    """Ports are TCP unless they say otherwise."""
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            if not port.get("protocol"):
                port["protocol"] = "TCP"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Every subset has addresses, which can be reached, and ports with names if there are several."""
    for position, subset in enumerate(obj.get("subsets") or ()):
        path = index("subsets", position)
        ready, others = subset.get("addresses") or (), subset.get("notReadyAddresses") or ()
        if not ready and not others:
            errors.required(path, "must specify `addresses` or `notReadyAddresses`")
        for field, addresses in (("addresses", ready), ("notReadyAddresses", others)):
            for number, address in enumerate(addresses):
                _validate_address(address, errors, index(at(path, field), number))
        ports = subset.get("ports") or ()
        for number, port in enumerate(ports):
            _validate_port(port, errors, index(at(path, "ports"), number), named=len(ports) > 1)


def _validate_address(address: JsonObject, errors: FieldErrors, path: str) -> None:
    text = address.get("ip") or ""
    for wrong in ip(text):
        errors.invalid(at(path, "ip"), text, wrong)
    if hostname := address.get("hostname"):
        for wrong in dns_label(hostname):
            errors.invalid(at(path, "hostname"), hostname, wrong)
    if (node := address.get("nodeName")) is not None:
        for wrong in dns_subdomain(node):
            errors.invalid(at(path, "nodeName"), node, wrong)
    validate_non_special(text, errors, at(path, "ip"))


def _validate_port(port: JsonObject, errors: FieldErrors, path: str, *, named: bool) -> None:
    name = port.get("name") or ""
    if named and not name:
        errors.required(at(path, "name"))
    elif name:
        for wrong in dns_label(name):
            errors.invalid(at(path, "name"), name, wrong)
    number = port.get("port") or 0
    for wrong in port_number(number):
        errors.invalid(at(path, "port"), number, wrong)
    validate_protocol(port.get("protocol"), errors, at(path, "protocol"))
    if (application := port.get("appProtocol")) is not None:
        for wrong in label_key(application):
            errors.invalid(at(path, "appProtocol"), application, wrong)


def validate_protocol(protocol: str | None, errors: FieldErrors, path: str) -> None:
    """One of the three transport protocols."""
    if not protocol:
        errors.required(path)
    elif protocol not in PROTOCOLS:
        errors.not_supported(path, protocol, PROTOCOLS)


def _endpoints(obj: JsonObject, _now: Instant) -> str:
    subsets = obj.get("subsets") or ()
    if not subsets:
        return NONE
    shown: list[str] = []
    total = 0
    for subset in subsets:
        addresses = [address.get("ip", "") for address in subset.get("addresses") or ()]
        ports = [port.get("port", 0) for port in subset.get("ports") or ()]
        texts = [_joined(address, port) for port in ports for address in addresses] if ports else addresses
        shown += texts[: _SHOWN - len(shown)]
        total += len(texts)
    more = f" + {total - _SHOWN} more..." if total > _SHOWN else ""
    return ",".join(shown) + more


def _joined(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


RESOURCE = Resource(
    kind=Endpoints,
    group="",
    version="v1",
    plural="endpoints",
    singular="endpoints",
    short_names=("ep",),
    deprecated="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    generation=False,
    create_on_update=True,
    default=default,
    validate=validate,
    columns=(Column("Endpoints", _endpoints), AGE),
)
