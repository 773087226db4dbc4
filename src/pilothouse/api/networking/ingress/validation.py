"""The rules of an Ingress: hosts, paths, and what answers there.

Source of the facts: ValidateIngress and its relatives in pkg/apis/networking/validation/validation.go.
"""

from collections.abc import Sequence

from pilothouse.api.machinery.addresses import ip, parse
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import (
    dns_label,
    dns_subdomain,
    path_segment,
    port_name,
    port_number,
    wildcard_subdomain,
)
from pilothouse.api.machinery.text_rules import validate_required_text, validate_text
from pilothouse.api.machinery.view import JsonObject

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
"""What named the class before there was a field."""
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_BAD_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDS = ("/..", "/.")
_NOT_AN_IP = "must be a DNS name, not an IP address"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Something answers, at hosts and paths that can be asked for."""
    spec = obj.get("spec") or {}
    default, rules = spec.get("defaultBackend"), spec.get("rules") or ()
    if not rules and default is None:
        errors.invalid("spec", None, "either `defaultBackend` or `rules` must be specified")
    if default is not None:
        _validate_backend(default, errors, "spec.defaultBackend")
    for position, rule in enumerate(rules):
        _validate_rule(rule, errors, index("spec.rules", position))
    for position, tls in enumerate(spec.get("tls") or ()):
        _validate_tls(tls, errors, index("spec.tls", position))
    if (name := spec.get("ingressClassName")) is not None:
        validate_text(name, dns_subdomain, errors, "spec.ingressClassName")


def validate_create(obj: JsonObject, errors: FieldErrors) -> None:
    """The old way of naming a class does not contradict the new one."""
    annotated = (dig(obj, "metadata", "annotations") or {}).get(CLASS_ANNOTATION)
    name = dig(obj, "spec", "ingressClassName")
    if annotated is not None and name is not None and annotated != name:
        words = "must match `ingressClassName` when both are specified"
        errors.invalid(f"annotations.{CLASS_ANNOTATION}", annotated, words)


def _validate_host(host: str, errors: FieldErrors, path: str) -> None:
    validate_text(host, wildcard_subdomain if "*" in host else dns_subdomain, errors, path)


def _validate_tls(tls: JsonObject, errors: FieldErrors, path: str) -> None:
    for position, host in enumerate(tls.get("hosts") or ()):
        _validate_host(host, errors, index(at(path, "hosts"), position))
    if secret := tls.get("secretName"):
        validate_text(secret, dns_subdomain, errors, at(path, "secretName"))


def _validate_rule(rule: JsonObject, errors: FieldErrors, path: str) -> None:
    if host := rule.get("host"):
        if parse(host) is not None:
            errors.invalid(at(path, "host"), host, _NOT_AN_IP)
        _validate_host(host, errors, at(path, "host"))
    if (http := rule.get("http")) is None:
        return
    paths, where = http.get("paths") or (), f"{path}.http.paths"
    if not paths:
        errors.required(where)
    for position, item in enumerate(paths):
        _validate_path(item, errors, index(where, position))


def _validate_path(item: JsonObject, errors: FieldErrors, path: str) -> None:
    kind, target, where = item.get("pathType"), item.get("path") or "", at(path, "path")
    if kind is None:
        errors.required(at(path, "pathType"), "pathType must be specified")
        return
    match kind:
        case "Exact" | "Prefix":
            _validate_absolute(target, errors, where)
            for part in _BAD_SEQUENCES:
                if part in target:
                    errors.invalid(where, target, f"must not contain '{part}'")
            for end in _BAD_ENDS:
                if target.endswith(end):
                    errors.invalid(where, target, f"cannot end with '{end}'")
        case "ImplementationSpecific":
            if target:
                _validate_absolute(target, errors, where)
        case _:
            errors.not_supported(at(path, "pathType"), kind, _PATH_TYPES)
    _validate_backend(item.get("backend") or {}, errors, at(path, "backend"))


def _validate_absolute(target: str, errors: FieldErrors, path: str) -> None:
    if not target.startswith("/"):
        errors.invalid(path, target, "must be an absolute path")


def _validate_backend(backend: JsonObject, errors: FieldErrors, path: str) -> None:
    resource, service = backend.get("resource"), backend.get("service")
    if resource is not None and service is not None:
        errors.invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        validate_reference(resource, errors, at(path, "resource"))
    elif service is not None:
        validate_required_text(service.get("name"), dns_label, errors, f"{path}.service.name")
        _validate_port(service.get("port") or {}, errors, path)
    else:
        errors.invalid(path, "", "resource or service backend is required")


def _validate_port(port: JsonObject, errors: FieldErrors, path: str) -> None:
    name, number = port.get("name"), port.get("number")
    if name and number:
        errors.invalid(path, "", "cannot set both port name & port number")
    elif name:
        validate_text(name, port_name, errors, f"{path}.service.port.name")
    elif number:
        for wrong in port_number(number):
            errors.invalid(f"{path}.service.port.number", number, wrong)
    else:
        errors.required(path, "port name or number is required")


def validate_reference(reference: JsonObject, errors: FieldErrors, path: str) -> None:
    """Group, kind and name of an object, also of a class's parameters."""
    if (group := reference.get("apiGroup")) is not None:
        validate_text(group, dns_subdomain, errors, at(path, "apiGroup"))
    for name in ("kind", "name"):
        validate_required_text(reference.get(name), path_segment, errors, at(path, name))


def validate_status(obj: JsonObject, _old: JsonObject, errors: FieldErrors) -> None:
    """Where the balancer can be reached: addresses or names."""
    points: Sequence[JsonObject] = dig(obj, "status", "loadBalancer", "ingress") or ()
    for position, point in enumerate(points):
        where = index("status.loadBalancer.ingress", position)
        if address := point.get("ip"):
            validate_text(address, ip, errors, at(where, "ip"))
        if host := point.get("hostname"):
            validate_text(host, dns_subdomain, errors, at(where, "hostname"))
            if parse(host) is not None:
                errors.invalid(at(where, "hostname"), host, _NOT_AN_IP)
