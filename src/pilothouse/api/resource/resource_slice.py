"""ResourceSlice: devices of one driver and pool.

`devices` has the rules of each. Sources of the facts: pkg/apis/resource/v1/defaults.go,
pkg/apis/resource/validation/validation.go, pkg/printers/internalversion/printers.go. API page: resource.k8s.io/v1
ResourceSlice.
"""

from functools import partial

from pilothouse.api.core.pod.validation.scheduling import validate_node_selector
from pilothouse.api.machinery.columns import AGE, dig, field_text, show
from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.names import dns_subdomain
from pilothouse.api.machinery.resource import Column, Resource, Stamp
from pilothouse.api.machinery.text_rules import validate_text
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.resource.devices import validate_counters, validate_device
from pilothouse.api.resource.identifiers import validate_driver, validate_pool
from pilothouse.api.resource.lists import named, validate_set
from pilothouse.api.types.resource_v1 import ResourceSlice
from pilothouse.runtime.clock import format_time

_MOST_DEVICES = 128
_MOST_ADVANCED = 64
"""Of devices with taints, counters or lists of values, which cost the scheduler more."""
_MOST_COUNTER_SETS = 8
_LISTS = ("bools", "ints", "strings", "versions")
_ONE_PLACE = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """A part of a pool: its devices or its counters, and from where they can be used."""
    spec, path = obj.get("spec") or {}, "spec"
    pool, devices = spec.get("pool") or {}, spec.get("devices")
    validate_driver(spec.get("driver") or "", errors, "spec.driver")
    validate_pool(pool.get("name") or "", errors, "spec.pool.name")
    if (count := pool.get("resourceSliceCount") or 0) <= 0:
        errors.invalid("spec.pool.resourceSliceCount", count, "must be greater than zero")
    if (generation := pool.get("generation") or 0) < 0:
        errors.invalid("spec.pool.generation", generation, "must be greater than or equal to zero")
    _validate_place(spec, errors, path)
    if spec.get("sharedCounters") and devices:
        errors.invalid(path, "", "only one of `sharedCounters` or `devices` is allowed")
    rule = partial(validate_device, own_place=bool(spec.get("perDeviceNodeSelection")))
    most = _MOST_ADVANCED if any(map(_is_advanced, devices or ())) else _MOST_DEVICES
    validate_set(devices, most, rule, named, errors, "spec.devices")
    counters = spec.get("sharedCounters")
    validate_set(counters, _MOST_COUNTER_SETS, _validate_counters, named, errors, "spec.sharedCounters")


def _is_advanced(device: JsonObject) -> bool:
    attributes = (device.get("attributes") or {}).values()
    lists = any(attribute.get(name) is not None for attribute in attributes for name in _LISTS)
    return bool(device.get("taints") or device.get("consumesCounters") or lists)


def _validate_counters(counters: JsonObject, errors: FieldErrors, path: str) -> None:
    validate_counters(counters, "name", errors, path)


def _validate_place(spec: JsonObject, errors: FieldErrors, path: str) -> None:
    found, name, selector = [], spec.get("nodeName"), spec.get("nodeSelector")
    if name == "":
        errors.invalid(at(path, "nodeName"), name, "must be either unset or set to a non-empty string")
    elif name is not None:
        found.append("`nodeName`")
        validate_text(name, dns_subdomain, errors, at(path, "nodeName"))
    if selector is not None:
        found.append("`nodeSelector`")
        validate_node_selector(selector, errors, at(path, "nodeSelector"))
        terms = selector.get("nodeSelectorTerms") or []
        if len(terms) != 1:
            words = "must have exactly one node selector term"
            errors.invalid(f"{path}.nodeSelector.nodeSelectorTerms", terms or None, words)
    for field in ("allNodes", "perDeviceNodeSelection"):
        if spec.get(field):
            found.append(f"`{field}`")
        elif spec.get(field) is not None:
            errors.invalid(at(path, field), False, "must be either unset or set to true")
    if not found:
        errors.required(path, _ONE_PLACE)
    elif len(found) > 1:
        errors.invalid(path, f"{{{', '.join(found)}}}", f"{_ONE_PLACE}, but multiple fields are set")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Another driver, pool or node has slices of its own."""
    for names in (("pool", "name"), ("driver",), ("nodeName",)):
        new, stored = dig(obj, "spec", *names), dig(old, "spec", *names)
        validate_immutable(new, stored, errors, ".".join(("spec", *names)))


def stamp(obj: JsonObject, _old: JsonObject | None, by: Stamp) -> None:
    """Since when devices are tainted."""
    for device in dig(obj, "spec", "devices") or ():
        for taint in device.get("taints") or ():
            if not taint.get("timeAdded"):
                taint["timeAdded"] = format_time(by.now)


RESOURCE = Resource(
    kind=ResourceSlice,
    group="resource.k8s.io",
    version="v1",
    plural="resourceslices",
    singular="resourceslice",
    namespaced=False,
    stamp=stamp,
    validate=validate,
    validate_update=validate_update,
    columns=(
        Column("Node", show("spec", "nodeName")),
        Column("Driver", show("spec", "driver")),
        Column("Pool", show("spec", "pool", "name")),
        AGE,
    ),
    selectable_fields={"spec.driver": field_text("spec", "driver"), "spec.nodeName": field_text("spec", "nodeName")},
)
