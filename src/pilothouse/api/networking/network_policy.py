"""NetworkPolicy: which traffic pods accept and may send.

Sources of the facts: pkg/apis/networking/v1/defaults.go, pkg/apis/networking/validation/validation.go,
pkg/registry/networking/networkpolicy/strategy.go. API page: networking.k8s.io/v1 NetworkPolicy.
"""

import ipaddress
from collections.abc import Iterator

from pilothouse.api.machinery.address_warnings import warn_of_cidr
from pilothouse.api.machinery.addresses import cidr
from pilothouse.api.machinery.columns import AGE, show_selector
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import port_name, port_number
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.text_rules import validate_choice, validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.networking_v1 import NetworkPolicy

_PROTOCOLS = ("TCP", "UDP", "SCTP")
_TYPES = ("Ingress", "Egress")
_DIRECTIONS = (("ingress", "from"), ("egress", "to"))


def default(obj: JsonObject) -> None:
    """It is about what comes in, and about what goes out only if it says so; ports are TCP."""
    spec = obj.setdefault("spec", {})
    rules = [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]
    for port in [port for rule in rules for port in rule.get("ports") or ()]:
        if port.get("protocol") is None:
            port["protocol"] = "TCP"
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Pods, peers and ports that there can be."""
    spec = obj.get("spec") or {}
    validate_label_selector(spec.get("podSelector"), errors, "spec.podSelector")
    for direction, peers in _DIRECTIONS:
        for position, rule in enumerate(spec.get(direction) or ()):
            path = index(at("spec", direction), position)
            for number, port in enumerate(rule.get("ports") or ()):
                _validate_port(port, errors, index(at(path, "ports"), number))
            for number, peer in enumerate(rule.get(peers) or ()):
                _validate_peer(peer, errors, index(at(path, peers), number))
    types = spec.get("policyTypes") or ()
    if len(types) > len(_TYPES):
        errors.invalid("spec.policyTypes", types, "may not specify more than two policyTypes")
        return
    for position, kind in enumerate(types):
        validate_choice(kind, _TYPES, errors, index("spec.policyTypes", position))


def _validate_port(item: JsonObject, errors: FieldErrors, path: str) -> None:
    port, end = item.get("port"), item.get("endPort")
    if (protocol := item.get("protocol")) is not None:
        validate_choice(protocol, _PROTOCOLS, errors, at(path, "protocol"))
    if isinstance(port, int):
        for wrong in port_number(port):
            errors.invalid(at(path, "port"), port, wrong)
        if end is not None:
            if end < port:
                errors.invalid(at(path, "endPort"), end, "must be greater than or equal to `port`")
            for wrong in port_number(end):
                errors.invalid(at(path, "endPort"), end, wrong)
        return
    if end is not None:
        why = "not specified" if port is None else "non-numeric"
        errors.invalid(at(path, "endPort"), end, f"may not be specified when `port` is {why}")
    if port is not None:
        validate_text(port, port_name, errors, at(path, "port"))


def _validate_peer(peer: JsonObject, errors: FieldErrors, path: str) -> None:
    pods, namespaces, block = peer.get("podSelector"), peer.get("namespaceSelector"), peer.get("ipBlock")
    validate_label_selector(pods, errors, at(path, "podSelector"))
    validate_label_selector(namespaces, errors, at(path, "namespaceSelector"))
    if block is not None:
        _validate_block(block, errors, at(path, "ipBlock"))
    if pods is None and namespaces is None and block is None:
        errors.required(path, "must specify a peer")
    elif block is not None and (pods is not None or namespaces is not None):
        errors.forbidden(path, "may not specify both ipBlock and another peer")


def _validate_block(block: JsonObject, errors: FieldErrors, path: str) -> None:
    text = block.get("cidr") or ""
    if not text:
        errors.required(at(path, "cidr"))
        return
    validate_text(text, cidr, errors, at(path, "cidr"))
    if cidr(text):
        return
    whole = ipaddress.ip_network(text)
    for position, hole in enumerate(block.get("except") or ()):
        where = index(at(path, "except"), position)
        validate_text(hole, cidr, errors, where)
        if not cidr(hole) and not _is_inside(ipaddress.ip_network(hole), whole):
            errors.invalid(where, hole, "must be a strict subset of `cidr`")


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _is_inside(part: _Network, whole: _Network) -> bool:
    """Whether `part` is in `whole`, and smaller."""
    return part.version == whole.version and part.prefixlen > whole.prefixlen and part.network_address in whole


def warn(obj: JsonObject, _old: JsonObject | None) -> list[str]:
    """Blocks that are written in an unusual way."""
    return [text for path, block in _blocks(obj.get("spec") or {}) for text in warn_of_cidr(block, path)]


def _blocks(spec: JsonObject) -> Iterator[tuple[str, str]]:
    for direction, peers in _DIRECTIONS:
        for position, rule in enumerate(spec.get(direction) or ()):
            for number, peer in enumerate(rule.get(peers) or ()):
                if block := peer.get("ipBlock"):
                    path = f"spec.{direction}[{position}].{peers}[{number}].ipBlock"
                    yield f"{path}.cidr", block.get("cidr") or ""
                    for place, hole in enumerate(block.get("except") or ()):
                        yield f"{path}.except[{place}]", hole


RESOURCE = Resource(
    kind=NetworkPolicy,
    group="networking.k8s.io",
    version="v1",
    plural="networkpolicies",
    singular="networkpolicy",
    short_names=("netpol",),
    default=default,
    validate=validate,
    warn=warn,
    columns=(
        Column("Pod-Selector", show_selector("spec", "podSelector")),
        AGE,
    ),
)
