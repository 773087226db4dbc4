"""What a claim asks for: devices of classes, constraints between them, and configuration for their drivers.

CEL expressions are measured here, but not compiled. Sources of the facts: pkg/apis/resource/v1/defaults.go,
pkg/apis/resource/validation/validation.go; KEP-4381, KEP-4816 for alternatives.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.names import dns_subdomain
from pilothouse.api.machinery.text_rules import validate_choice, validate_required_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.resource.identifiers import validate_driver, validate_fully_qualified, validate_label
from pilothouse.api.resource.lists import itself, named, validate_list, validate_set
from pilothouse.api.resource.taints import default_toleration, validate_toleration

MOST = 32
"""Requests, constraints, configurations and selectors, each."""
_MOST_ALTERNATIVES = 8
_MOST_TOLERATIONS = 16
_LONGEST_EXPRESSION = 10 * 1024
_LARGEST_PARAMETERS = 10 * 1024
_MODES = ("All", "ExactCount")
_REFERENCE = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
_ONE_FORM = "exactly one of `exactly` or `firstAvailable` is required"
_ONE_ATTRIBUTE = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
Names = Mapping[str, frozenset[str]]
"""The requests of a claim, each with its alternatives."""


def default_claim(spec: JsonObject) -> None:
    """One device of each, unless a request says otherwise."""
    for request in dig(spec, "devices", "requests") or ():
        for item in _forms(request):
            if not item.get("allocationMode"):
                item["allocationMode"] = "ExactCount"
            if item["allocationMode"] == "ExactCount" and not item.get("count"):
                item["count"] = 1
            for toleration in item.get("tolerations") or ():
                default_toleration(toleration)


def _forms(request: JsonObject) -> Iterator[JsonObject]:
    if request.get("exactly") is not None:
        yield request["exactly"]
    yield from request.get("firstAvailable") or ()


def names_of(devices: Mapping[str, Any]) -> Names:
    """How results and configurations can call the requests of a claim."""
    return {
        named(request): frozenset(named(item) for item in request.get("firstAvailable") or ())
        for request in devices.get("requests") or ()
    }


def validate_claim_spec(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    """Requests, constraints and configurations, which refer to requests that there are."""
    devices, where = spec.get("devices") or {}, at(path, "devices")
    names = names_of(devices)

    def constraint(item: JsonObject, errors: FieldErrors, path: str) -> None:
        _validate_constraint(item, names, errors, path)

    def configuration(item: JsonObject, errors: FieldErrors, path: str) -> None:
        validate_references(item, names, errors, path)
        validate_configuration(item, errors, path)

    validate_set(devices.get("requests"), MOST, _validate_request, named, errors, at(where, "requests"))
    validate_list(devices.get("constraints"), MOST, constraint, errors, at(where, "constraints"))
    validate_list(devices.get("config"), MOST, configuration, errors, at(where, "config"))


def _validate_request(request: JsonObject, errors: FieldErrors, path: str) -> None:
    validate_label(named(request), errors, at(path, "name"))
    exactly, alternatives = request.get("exactly"), request.get("firstAvailable")
    if exactly is not None and alternatives:
        errors.invalid(path, None, f"{_ONE_FORM}, but multiple fields are set")
    elif exactly is not None:
        _validate_devices(exactly, errors, at(path, "exactly"))
    elif alternatives:
        where = at(path, "firstAvailable")
        validate_set(alternatives, _MOST_ALTERNATIVES, _validate_alternative, named, errors, where)
    else:
        errors.required(path, _ONE_FORM)


def _validate_alternative(item: JsonObject, errors: FieldErrors, path: str) -> None:
    validate_label(named(item), errors, at(path, "name"))
    _validate_devices(item, errors, path)


def _validate_devices(item: JsonObject, errors: FieldErrors, path: str) -> None:
    validate_required_text(item.get("deviceClassName"), dns_subdomain, errors, at(path, "deviceClassName"))
    validate_selectors(item, errors, path)
    mode, count = item.get("allocationMode"), item.get("count") or 0
    if mode not in _MODES:
        validate_choice(mode, _MODES, errors, at(path, "allocationMode"))
    elif mode == "All" and count != 0:
        errors.invalid(at(path, "count"), count, "must not be specified when allocationMode is 'All'")
    elif mode == "ExactCount" and count <= 0:
        errors.invalid(at(path, "count"), count, "must be greater than zero")
    tolerations, where = item.get("tolerations"), at(path, "tolerations")
    validate_list(tolerations, _MOST_TOLERATIONS, validate_toleration, errors, where)


def validate_selectors(item: JsonObject, errors: FieldErrors, path: str) -> None:
    """Expressions in CEL that choose devices."""
    validate_list(item.get("selectors"), MOST, _validate_selector, errors, at(path, "selectors"))


def _validate_selector(selector: JsonObject, errors: FieldErrors, path: str) -> None:
    if selector.get("cel") is None:
        errors.required(at(path, "cel"))
    elif len((selector["cel"].get("expression") or "").encode()) > _LONGEST_EXPRESSION:
        errors.too_long(f"{path}.cel.expression", _LONGEST_EXPRESSION)


def _validate_constraint(constraint: JsonObject, names: Names, errors: FieldErrors, path: str) -> None:
    validate_references(constraint, names, errors, path)
    for name in ("matchAttribute", "distinctAttribute"):
        if (attribute := constraint.get(name)) is not None:
            validate_fully_qualified(attribute, errors, at(path, name))
            return
    errors.required(path, _ONE_ATTRIBUTE)


def validate_references(item: JsonObject, names: Names, errors: FieldErrors, path: str) -> None:
    """Each of `requests` is one, and is there once."""

    def reference(name: str, errors: FieldErrors, path: str) -> None:
        validate_reference(name, names, errors, path)

    validate_set(item.get("requests"), MOST, reference, itself, errors, at(path, "requests"))


def validate_reference(name: str, names: Names, errors: FieldErrors, path: str) -> None:
    """The name of a request, or of one of its alternatives."""
    parts = name.split("/")
    if len(parts) > 2:
        errors.invalid(path, name, _REFERENCE)
        return
    for part in parts:
        validate_label(part, errors, path)
    alternatives = names.get(parts[0])
    if alternatives is None or (len(parts) > 1 and parts[1] not in alternatives):
        errors.invalid(path, name, _REFERENCE)


def validate_configuration(item: JsonObject, errors: FieldErrors, path: str) -> None:
    """Parameters that only the driver understands."""
    where, opaque = at(path, "opaque"), item.get("opaque")
    if opaque is None:
        errors.required(where)
        return
    validate_driver(opaque.get("driver") or "", errors, at(where, "driver"))
    validate_raw(opaque.get("parameters"), _LARGEST_PARAMETERS, errors, at(where, "parameters"))


def validate_raw(value: Any, largest: int, errors: FieldErrors, path: str) -> None:
    """An object of anybody's making, but not too large."""
    if value is None:
        errors.required(path)
    elif len(orjson.dumps(value)) > largest:
        errors.too_long(path, largest)
    elif not isinstance(value, dict):
        errors.invalid(path, "<value omitted>", "must be a valid JSON object")


def validate_class(class_: JsonObject, errors: FieldErrors, path: str) -> None:
    """Which devices are of a class, and how they are set up."""
    validate_selectors(class_, errors, path)
    validate_list(class_.get("config"), MOST, validate_configuration, errors, at(path, "config"))
