"""DeviceTaintRule: taints devices that match.

Sources of the facts: pkg/apis/resource/v1/defaults.go, pkg/apis/resource/validation/validation.go. API page:
resource.k8s.io/v1 DeviceTaintRule; KEP-5055.
"""

from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.condition_rules import validate_conditions
from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.resource import STATUS, Resource, Stamp
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.resource.identifiers import validate_driver, validate_label, validate_pool
from pilothouse.api.resource.taints import validate_taint
from pilothouse.api.types.resource_v1 import DeviceTaintRule
from pilothouse.runtime.clock import format_time

_MOST_CONDITIONS = 8


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Which devices, and which taint."""
    selector, path = dig(obj, "spec", "deviceSelector") or {}, "spec.deviceSelector"
    for name, rule in (("driver", validate_driver), ("pool", validate_pool), ("device", validate_label)):
        if (text := selector.get(name)) is not None:
            rule(text, errors, at(path, name))
    validate_taint(dig(obj, "spec", "taint") or {}, errors, "spec.taint")


def validate_status(obj: JsonObject, _old: JsonObject, errors: FieldErrors) -> None:
    """Some conditions."""
    conditions, path = dig(obj, "status", "conditions") or [], "status.conditions"
    validate_conditions(conditions, errors, path)
    if len(conditions) > _MOST_CONDITIONS:
        errors.too_many(path, len(conditions), _MOST_CONDITIONS)


def stamp(obj: JsonObject, _old: JsonObject | None, by: Stamp) -> None:
    """Since when devices are tainted."""
    taint = dig(obj, "spec", "taint")
    if taint is not None and not taint.get("timeAdded"):
        taint["timeAdded"] = format_time(by.now)


RESOURCE = Resource(
    kind=DeviceTaintRule,
    group="resource.k8s.io",
    version="v1",
    plural="devicetaintrules",
    singular="devicetaintrule",
    namespaced=False,
    subresources=(STATUS,),
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    stamp=stamp,
    validate=validate,
    validate_status=validate_status,
)
