"""The devices of a ResourceSlice: what they can do, how much of it, and from which nodes they can be used.

Source of the facts: validateDevice and its relatives in pkg/apis/resource/validation/validation.go; KEP-4815 for
counters, KEP-5075 for capacity that is shared.
"""

import re
from typing import Any

from pilothouse.api.core.pod.validation.scheduling import validate_node_selector
from pilothouse.api.machinery.field import FieldErrors, at, index
from pilothouse.api.machinery.names import dns_subdomain
from pilothouse.api.machinery.quantity import ZERO, Quantity
from pilothouse.api.machinery.quantity_rules import read_quantity
from pilothouse.api.machinery.text_rules import validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.resource.allocation import validate_binding
from pilothouse.api.resource.identifiers import validate_label, validate_qualified
from pilothouse.api.resource.lists import validate_list, validate_map, validate_set
from pilothouse.api.resource.taints import validate_taint

_ANY = 10**9
_MOST_PROPERTIES = 32
_MOST_VALUES = 48
_MOST_TAINTS = 16
_MOST_CONSUMPTIONS = 2
MOST_COUNTERS = 32
_MOST_OPTIONS = 10
_LONGEST_VALUE = 64
_LISTS = ("bools", "ints", "strings", "versions")
_SCALARS = ("bool", "int", "string", "version")
_ID = r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_VERSION = re.compile(
    rf"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-{_ID}(\.{_ID})*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?", re.ASCII
)
_ONE_PLACE = (
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to "
    "true in the ResourceSlice spec"
)
_NO_PLACE = (
    "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the "
    "ResourceSlice spec"
)
_TWO_POLICIES = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'


def validate_device(device: JsonObject, errors: FieldErrors, path: str, *, own_place: bool) -> None:
    """One device. `own_place` is whether each device of the slice says where it can be used."""
    validate_label(device.get("name") or "", errors, at(path, "name"))
    attributes, capacity = device.get("attributes") or {}, device.get("capacity") or {}
    count, values = len(attributes) + len(capacity), sum(_count(attribute) for attribute in attributes.values())
    if count > _MOST_PROPERTIES:
        words = f"the total number of attributes and capacities must not exceed {_MOST_PROPERTIES}"
        errors.invalid(path, count, words)
    if values > _MOST_VALUES:
        errors.invalid(path, values, f"the total number of attribute values must not exceed {_MOST_VALUES}")
    validate_map(attributes, _ANY, validate_qualified, _validate_attribute, errors, at(path, "attributes"))
    rule = _validate_shared_capacity if device.get("allowMultipleAllocations") else _validate_capacity
    validate_map(capacity, _ANY, validate_qualified, rule, errors, at(path, "capacity"))
    validate_list(device.get("taints"), _MOST_TAINTS, validate_taint, errors, at(path, "taints"))
    consumed, where = device.get("consumesCounters"), at(path, "consumesCounters")
    validate_set(
        consumed, _MOST_CONSUMPTIONS, _validate_consumption, lambda item: item.get("counterSet") or "", errors, where
    )
    _validate_place(device, errors, path, own_place=own_place)
    validate_binding(device, errors, path)


def _count(attribute: JsonObject) -> int:
    return sum(len(attribute.get(name) or ()) for name in _LISTS) or 1


def _validate_attribute(attribute: JsonObject, errors: FieldErrors, path: str) -> None:
    """One value, or one list of values, of one type."""
    found = [name for name in (*_SCALARS, *_LISTS) if attribute.get(name) is not None]
    for name in found:
        where, value = at(path, name), attribute[name]
        if name in _LISTS and not value:
            errors.invalid(where, [], "must not be empty if specified")
        values = [(index(where, n), item) for n, item in enumerate(value)] if name in _LISTS else [(where, value)]
        for place, item in values:
            _validate_value(name, item, errors, place)
    if len(found) != 1:
        errors.invalid(path, attribute if found else "", "exactly one value must be specified")


def _validate_value(name: str, value: Any, errors: FieldErrors, path: str) -> None:
    if name.startswith("version") and not _VERSION.fullmatch(value):
        errors.invalid(path, value, "must be a string compatible with semver.org spec 2.0.0")
    if isinstance(value, str) and len(value.encode()) > _LONGEST_VALUE:
        errors.too_long(path, _LONGEST_VALUE)


def _validate_capacity(capacity: JsonObject, errors: FieldErrors, path: str) -> None:
    if capacity.get("requestPolicy") is not None:
        errors.forbidden(at(path, "requestPolicy"), "allowMultipleAllocations must be true")


def _validate_shared_capacity(capacity: JsonObject, errors: FieldErrors, path: str) -> None:
    policy, where = capacity.get("requestPolicy"), at(path, "requestPolicy")
    whole = read_quantity(capacity.get("value"), errors, at(path, "value"))
    if policy is None or whole is None:
        return
    options, limits = policy.get("validValues"), policy.get("validRange")
    if options and limits is not None:
        errors.forbidden(where, _TWO_POLICIES)
        return
    kind = "validValues" if options else "validRange" if limits is not None else ""
    if not kind:
        return
    preset = read_quantity(policy.get("default"), errors, at(where, "default"))
    if preset is None:
        errors.required(at(where, "default"), f"required when {kind} is defined")
    elif options:
        _validate_options(options, preset, whole, errors, at(where, kind))
    else:
        _validate_range(limits, preset, whole, errors, at(where, kind))


def _validate_options(texts: list[Any], preset: Quantity, whole: Quantity, errors: FieldErrors, path: str) -> None:
    read = (read_quantity(text, errors, index(path, position)) for position, text in enumerate(texts))
    options = [amount for amount in read if amount is not None]
    for position in range(1, len(options)):
        if options[position - 1] > options[position]:
            words = "values must be sorted in ascending order"
            errors.invalid(index(path, position), str(options[position]), words)

    def option(amount: Quantity, errors: FieldErrors, path: str) -> None:
        if amount > whole:
            errors.invalid(path, str(amount), f"option is larger than capacity value: {whole}")

    validate_set(options, _MOST_OPTIONS, option, str, errors, path)
    if preset not in options:
        errors.invalid(path, str(preset), "default value is not valid according to the requestPolicy")


def _validate_range(limits: JsonObject, preset: Quantity, whole: Quantity, errors: FieldErrors, path: str) -> None:
    low, high, step = (read_quantity(limits.get(name), errors, at(path, name)) for name in ("min", "max", "step"))
    if low is None:
        errors.required(at(path, "min"), "required when validRange is defined")
        return
    if low > whole:
        errors.invalid(at(path, "min"), str(low), f"min is larger than capacity value: {whole}")
    if preset < low:
        errors.invalid(at(path, "default"), str(preset), f"default is less than min: {low}")
    if high is not None:
        if low > high:
            errors.invalid(at(path, "max"), str(low), f"min is larger than max: {high}")
        if high > whole:
            errors.invalid(at(path, "max"), str(high), f"max is larger than capacity value: {whole}")
        if preset > high:
            errors.invalid(at(path, "default"), str(preset), f"default is more than max: {high}")
    if step is not None:
        _validate_step(step, low, [preset, *([high] if high is not None else [])], whole, errors, at(path, "step"))


def _validate_step(
    step: Quantity, low: Quantity, ends: list[Quantity], whole: Quantity, errors: FieldErrors, path: str
) -> None:
    if step <= ZERO:
        errors.invalid(path, str(step), "must be greater than zero")
        return
    if low + step > whole:
        errors.invalid(path, str(step), f"one step {low + step} is larger than capacity value: {whole}")
    for end in ends:
        if (end - low).nano % step.nano:
            errors.invalid(path, str(end), f"value is not a multiple of a given step ({step}) from ({low})")


def _validate_consumption(item: JsonObject, errors: FieldErrors, path: str) -> None:
    validate_counters(item, "counterSet", errors, path)


def validate_counters(item: JsonObject, field: str, errors: FieldErrors, path: str) -> None:
    """Amounts that devices draw on; `field` names the set of them."""
    name = item.get(field) or ""
    if not name:
        errors.required(at(path, field))
    else:
        validate_label(name, errors, at(path, field))
    counters, where = item.get("counters"), at(path, "counters")
    if not counters:
        errors.required(where)
    else:
        validate_map(counters, MOST_COUNTERS, validate_label, _validate_counter, errors, where)


def _validate_counter(counter: JsonObject, errors: FieldErrors, path: str) -> None:
    read_quantity(counter.get("value"), errors, at(path, "value"))


def _validate_place(device: JsonObject, errors: FieldErrors, path: str, *, own_place: bool) -> None:
    name, selector, everywhere = device.get("nodeName"), device.get("nodeSelector"), device.get("allNodes")
    if not own_place:
        if name is not None or selector is not None or everywhere is not None:
            errors.invalid(path, None, _NO_PLACE)
        return
    found = []
    if name == "":
        errors.invalid(at(path, "nodeName"), name, "must not be empty")
    elif name is not None:
        found.append("`nodeName`")
        validate_text(name, dns_subdomain, errors, at(path, "nodeName"))
    if selector is not None:
        found.append("`nodeSelector`")
        validate_node_selector(selector, errors, at(path, "nodeSelector"))
    if everywhere:
        found.append("`allNodes`")
    elif everywhere is not None:
        errors.invalid(at(path, "allNodes"), everywhere, "must be either unset or set to true")
    if not found:
        errors.required(path, _ONE_PLACE)
    elif len(found) > 1:
        errors.invalid(path, f"{{{', '.join(found)}}}", _ONE_PLACE)
