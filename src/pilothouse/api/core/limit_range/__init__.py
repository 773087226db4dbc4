"""LimitRange: defaults and bounds of what the containers of a namespace may ask for.

`validation` has its rules. Source of the facts: pkg/apis/core/v1/defaults.go. API page: core/v1 LimitRange.
"""

from pilothouse.api.core.limit_range.validation import validate
from pilothouse.api.core.pod.resources import canonical_resources
from pilothouse.api.machinery.columns import dig, show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import LimitRange

_AMOUNTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


def default(obj: JsonObject) -> None:
    """For containers: limits from the maximum, requests from the limits, else from the minimum."""
    for item in dig(obj, "spec", "limits") or ():
        for name in _AMOUNTS:
            canonical_resources(item.get(name) or {})
        if item.get("type") != "Container":
            continue
        limits = {**(item.get("max") or {}), **(item.get("default") or {})}
        requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
        for name, amounts in (("default", limits), ("defaultRequest", requests)):
            if amounts:
                item[name] = amounts


RESOURCE = Resource(
    kind=LimitRange,
    group="",
    version="v1",
    plural="limitranges",
    singular="limitrange",
    short_names=("limits",),
    generation=False,
    create_on_update=True,
    default=default,
    validate=validate,
    columns=(Column("Created At", show("metadata", "creationTimestamp"), type="date"),),
)
