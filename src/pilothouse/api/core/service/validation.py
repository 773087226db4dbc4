"""The rules of a Service. Source of the facts: pkg/apis/core/validation/validation.go."""

from typing import Any

from pilothouse.api.core.endpoints import validate_protocol
from pilothouse.api.core.service.families import SINGLE, validate_addresses
from pilothouse.api.core.service.questions import (
    HEADLESS,
    is_externally_accessible,
    is_headless,
    needs_health_check,
)
from pilothouse.api.machinery.addresses import cidr, ip, parse, validate_non_special
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors, as_go_shows, at, index
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.names import (
    dns_label,
    dns_subdomain,
    label_key,
    port_name,
    port_number,
    validate_labels,
)
from pilothouse.api.machinery.view import JsonObject

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_TRAFFIC_POLICIES = ("Cluster", "Local")
_DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")
_MAX_AFFINITY_SECONDS = 86400
_TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
_TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints"
_SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'"
_NOT_EXTERNAL_NAME = "may not be set for ExternalName services"
_PORT = {"Name": "", "Protocol": "", "AppProtocol": None, "Port": 0, "TargetPort": 0, "NodePort": 0}
_SET_ONCE = "may not change once set"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Everything that holds for a Service, new or changed, whose addresses have been allocated."""
    spec = obj.get("spec") or {}
    kind = spec.get("type") or ""
    annotations = dig(obj, "metadata", "annotations") or {}
    _validate_topology(annotations, errors)
    if not spec.get("ports") and not is_headless(spec) and kind != "ExternalName":
        errors.required("spec.ports")
    if kind in ("LoadBalancer", "NodePort") and is_headless(spec):
        errors.invalid("spec.clusterIPs[0]", HEADLESS, f"may not be set to 'None' for {kind} services")
    elif kind == "ExternalName":
        _validate_external_name(spec, errors)
    _validate_ports(spec, errors)
    validate_labels(spec.get("selector") or {}, errors, "spec.selector")
    _validate_affinity(spec, errors)
    if kind != "ExternalName":
        validate_addresses(spec, errors)
    _validate_external_ips(spec, errors)
    if not kind:
        errors.required("spec.type")
    elif kind not in _TYPES:
        errors.not_supported("spec.type", kind, _TYPES)
    _validate_numbers(spec, kind, errors)
    _validate_source_ranges(spec, annotations, kind, errors)
    _validate_load_balancer(spec, kind, errors)
    _validate_traffic(spec, kind, errors)


def _validate_topology(annotations: JsonObject, errors: FieldErrors) -> None:
    mode, hints = annotations.get(_TOPOLOGY_MODE), annotations.get(_TOPOLOGY_HINTS)
    if mode is not None and hints is not None and mode != hints:
        why = f"must match annotations[{_TOPOLOGY_HINTS}] when both are specified"
        errors.invalid(index("metadata.annotations", _TOPOLOGY_MODE), mode, why)


def _validate_external_name(spec: JsonObject, errors: FieldErrors) -> None:
    if spec.get("clusterIPs"):
        errors.forbidden("spec.clusterIPs", _NOT_EXTERNAL_NAME)
    if spec.get("ipFamilies"):
        errors.forbidden("spec.ipFamilies", _NOT_EXTERNAL_NAME)
    if spec.get("ipFamilyPolicy") is not None:
        errors.forbidden("spec.ipFamilyPolicy", _NOT_EXTERNAL_NAME)
    # A trailing dot says that the name is fully qualified.
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        errors.required("spec.externalName")
    for wrong in dns_subdomain(name) if name else ():
        errors.invalid("spec.externalName", name, wrong)


def _validate_ports(spec: JsonObject, errors: FieldErrors) -> None:
    ports = spec.get("ports") or ()
    names: set[str] = set()
    for position, port in enumerate(ports):
        path = index("spec.ports", position)
        _validate_port_name(port.get("name") or "", names, errors, at(path, "name"), required=len(ports) > 1)
        number = port.get("port") or 0
        for wrong in port_number(number):
            errors.invalid(at(path, "port"), number, wrong)
        validate_protocol(port.get("protocol"), errors, at(path, "protocol"))
        _validate_target_port(port.get("targetPort"), errors, at(path, "targetPort"))
        if (application := port.get("appProtocol")) is not None:
            for wrong in label_key(application):
                errors.invalid(at(path, "appProtocol"), application, wrong)


def _validate_port_name(name: str, names: set[str], errors: FieldErrors, path: str, *, required: bool) -> None:
    if not name:
        if required:
            errors.required(path)
        return
    for wrong in dns_label(name):
        errors.invalid(path, name, wrong)
    if name in names:
        errors.duplicate(path, name)
    names.add(name)


def _validate_target_port(target: Any, errors: FieldErrors, path: str) -> None:
    if isinstance(target, str):
        for wrong in port_name(target):
            errors.invalid(path, target, wrong)
    else:
        for wrong in port_number(target or 0):
            errors.invalid(path, target or 0, wrong)


def _validate_affinity(spec: JsonObject, errors: FieldErrors) -> None:
    affinity, path = spec.get("sessionAffinity") or "", "spec.sessionAffinityConfig"
    if not affinity:
        errors.required("spec.sessionAffinity")
    elif affinity not in ("ClientIP", "None"):
        errors.not_supported("spec.sessionAffinity", affinity, ("ClientIP", "None"))
    if affinity == "None" and spec.get("sessionAffinityConfig") is not None:
        errors.forbidden(path, "must not be set when session affinity is None")
    if affinity != "ClientIP":
        return
    config = spec.get("sessionAffinityConfig")
    for step in ("clientIP", "timeoutSeconds"):
        if config is None:
            break
        path, config = at(path, step), config.get(step)
    if config is None:
        errors.required(path, "when session affinity type is ClientIP")
    elif not 0 < config <= _MAX_AFFINITY_SECONDS:
        errors.invalid(path, config, f"must be greater than 0 and less than {_MAX_AFFINITY_SECONDS}")


def _validate_external_ips(spec: JsonObject, errors: FieldErrors) -> None:
    for position, address in enumerate(spec.get("externalIPs") or ()):
        path = index("spec.externalIPs", position)
        problems = ip(address)
        for wrong in problems:
            errors.invalid(path, address, wrong)
        if not problems:
            validate_non_special(address, errors, path)


def _validate_numbers(spec: JsonObject, kind: str, errors: FieldErrors) -> None:
    """No node ports on a cluster IP; no number twice for one protocol."""
    ports = spec.get("ports") or ()
    for position, port in enumerate(ports):
        if kind == "ClusterIP" and port.get("nodePort"):
            path = at(index("spec.ports", position), "nodePort")
            errors.forbidden(path, "may not be used when `type` is 'ClusterIP'")
    seen: set[tuple[str, int]] = set()
    for position, port in enumerate(ports):
        node_port, protocol = port.get("nodePort") or 0, port.get("protocol") or ""
        if node_port and (protocol, node_port) in seen:
            errors.duplicate(at(index("spec.ports", position), "nodePort"), node_port)
        seen.add((protocol, node_port))
    seen = set()
    for position, port in enumerate(ports):
        protocol, number = port.get("protocol") or "", port.get("port") or 0
        if (protocol, number) in seen:
            errors.duplicate(index("spec.ports", position), as_go_shows({"protocol": protocol, "port": number}, _PORT))
        seen.add((protocol, number))


def _validate_source_ranges(spec: JsonObject, annotations: JsonObject, kind: str, errors: FieldErrors) -> None:
    ranges = spec.get("loadBalancerSourceRanges") or ()
    annotated = annotations.get(_SOURCE_RANGES)
    if ranges:
        path = "spec.LoadBalancerSourceRanges"
        paths = [index(path, position) for position in range(len(ranges))]
    elif annotated is not None:
        path = index("metadata.annotations", _SOURCE_RANGES)
        ranges = annotated.strip().split(",") if annotated.strip() else ()
        paths = [path] * len(ranges)
    else:
        return
    if kind != "LoadBalancer":
        errors.forbidden(path, _ONLY_LOAD_BALANCER)
    for where, value in zip(paths, ranges, strict=True):
        block = value.strip()
        for wrong in cidr(block):
            errors.invalid(where, block, wrong)


def _validate_load_balancer(spec: JsonObject, kind: str, errors: FieldErrors) -> None:
    allocates, balancer = spec.get("allocateLoadBalancerNodePorts"), spec.get("loadBalancerClass")
    if kind != "LoadBalancer":
        if allocates is not None:
            errors.forbidden("spec.allocateLoadBalancerNodePorts", _ONLY_LOAD_BALANCER)
        if balancer is not None:
            errors.forbidden("spec.loadBalancerClass", _ONLY_LOAD_BALANCER)
        return
    if allocates is None:
        errors.required("allocateLoadBalancerNodePorts")
    for wrong in label_key(balancer) if balancer is not None else ():
        errors.invalid("spec.loadBalancerClass", balancer, wrong)


def _validate_traffic(spec: JsonObject, kind: str, errors: FieldErrors) -> None:
    external, internal = spec.get("externalTrafficPolicy") or "", spec.get("internalTrafficPolicy")
    path = "spec.externalTrafficPolicy"
    if not is_externally_accessible(spec):
        if external:
            errors.invalid(path, external, "may only be set for externally-accessible services")
    elif not external:
        errors.required(path)
    elif external not in _TRAFFIC_POLICIES:
        errors.not_supported(path, external, _TRAFFIC_POLICIES)
    _validate_health_check(spec, errors)
    if internal is None:
        if kind in ("ClusterIP", "NodePort", "LoadBalancer"):
            errors.required("spec.internalTrafficPolicy")
    elif internal not in _TRAFFIC_POLICIES:
        errors.not_supported("spec.internalTrafficPolicy", internal, _TRAFFIC_POLICIES)
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        errors.not_supported("spec.trafficDistribution", distribution, _DISTRIBUTIONS)


def _validate_health_check(spec: JsonObject, errors: FieldErrors) -> None:
    port, path = spec.get("healthCheckNodePort") or 0, "spec.healthCheckNodePort"
    if not needs_health_check(spec):
        if port:
            why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
            errors.invalid(path, port, why)
    elif not port:
        errors.required(path)
    else:
        for wrong in port_number(port):
            errors.invalid(path, port, wrong)


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Addresses and families stay, but for a second one that comes or goes; so do balancer and health check."""
    spec, stored = obj.get("spec") or {}, old.get("spec") or {}
    both = (spec, stored)
    if all(one.get("type") != "ExternalName" for one in both):
        headless = [is_headless(one) for one in both]
        if not all(headless):
            _validate_stays(spec, stored, "clusterIPs", "clusterIP", errors)
        if not any(headless):
            _validate_stays(spec, stored, "ipFamilies", "ipFamily", errors)
    if all(one.get("type") == "LoadBalancer" for one in both):
        balancer = spec.get("loadBalancerClass")
        if balancer != stored.get("loadBalancerClass"):
            errors.invalid("spec.loadBalancerClass", balancer, _SET_ONCE)
    changed = (spec.get("healthCheckNodePort") or 0) != (stored.get("healthCheckNodePort") or 0)
    if changed and all(needs_health_check(one) for one in both):
        errors.forbidden("spec.healthCheckNodePort", IMMUTABLE)


def _validate_stays(spec: JsonObject, old: JsonObject, name: str, singular: str, errors: FieldErrors) -> None:
    new, stored, path = spec.get(name) or [], old.get(name) or [], f"spec.{name}"
    if len(new) == len(stored):
        for position, (mine, theirs) in enumerate(zip(new, stored, strict=True)):
            if mine != theirs:
                errors.invalid(index(path, position if name == "clusterIPs" else 0), new, _SET_ONCE)
        return
    if len(new) < len(stored) and not spec.get("clusterIPs"):
        errors.invalid(index(path, 0), new, f"primary {singular} can not be unset")
    if new and stored and new[0] != stored[0]:
        errors.invalid(index(path, 0), new, _SET_ONCE)
    if len(new) == 1 and len(stored) > 1 and spec.get("ipFamilyPolicy") != SINGLE:
        why = f"must be set to 'SingleStack' when releasing the secondary {singular}"
        errors.invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), why)


def validate_status(obj: JsonObject, _old: JsonObject, errors: FieldErrors) -> None:
    """A load balancer's addresses are addresses, its names are names."""
    ingresses = dig(obj, "status", "loadBalancer", "ingress") or ()
    path = "status.loadBalancer.ingress"
    if ingresses and dig(obj, "spec", "type") != "LoadBalancer":
        errors.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")
        return
    for position, ingress in enumerate(ingresses):
        _validate_ingress(ingress, errors, index(path, position))


def _validate_ingress(ingress: JsonObject, errors: FieldErrors, path: str) -> None:
    address, mode, hostname = ingress.get("ip") or "", ingress.get("ipMode"), ingress.get("hostname") or ""
    for wrong in ip(address) if address else ():
        errors.invalid(at(path, "ip"), address, wrong)
    if mode is None:
        if address:
            errors.required(at(path, "ipMode"), "must be specified when `ip` is set")
    elif not address:
        errors.forbidden(at(path, "ipMode"), "may not be specified when `ip` is not set")
    elif mode not in ("Proxy", "VIP"):
        errors.not_supported(at(path, "ipMode"), mode, ("Proxy", "VIP"))
    for wrong in dns_subdomain(hostname) if hostname else ():
        errors.invalid(at(path, "hostname"), hostname, wrong)
    if hostname and parse(hostname):
        errors.invalid(at(path, "hostname"), hostname, "must be a DNS name, not an IP address")
