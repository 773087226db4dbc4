"""Event as events.k8s.io/v1 serves it: the core Event under other field names. Stored as the core one.

This version is checked more strictly than the core one: the series, the type, and that the deprecated fields are not
set; nothing but the series may change later. Messages name the fields as the core version does.
Source of the facts: pkg/apis/events/v1/conversion.go, pkg/apis/core/validation/events.go.
"""

from collections.abc import Callable

from pilothouse.api.core import event as core
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.names import dns_subdomain
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.events_v1 import Event

_CORE_NAMES = {
    "note": "message",
    "regarding": "involvedObject",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedCount": "count",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
}
_OPTIONAL_HERE = ("reportingComponent", "reportingInstance")
_OUR_NAMES = {theirs: ours for ours, theirs in _CORE_NAMES.items()}


def to_storage(obj: JsonObject) -> JsonObject:
    """The core Event of the same content."""
    return {_CORE_NAMES.get(name, name): value for name, value in obj.items()} | {"apiVersion": "v1"}


def from_storage(obj: JsonObject) -> JsonObject:
    """The events.k8s.io Event of the same content. What the core one always writes, this one leaves out when empty."""
    renamed = {
        _OUR_NAMES.get(name, name): value for name, value in obj.items() if value != "" or name not in _OPTIONAL_HERE
    }
    return renamed | {"apiVersion": "events.k8s.io/v1"}


_NOT_HERE = ("firstTimestamp", "lastTimestamp", "count")
_FIXED = ("involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "type",
          "eventTime", "action", "related", "reportingComponent", "reportingInstance")  # fmt: skip
_MESSAGE_NAMES = {"reportingComponent": "reportingController"}


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """The rules of both versions."""
    core.validate(to_storage(obj), errors)


def validate_create(obj: JsonObject, errors: FieldErrors) -> None:
    """The rules of this version for new events."""
    event = to_storage(obj)
    _validate_series(event, errors)
    if not event.get("eventTime"):
        errors.required("eventTime")
    if (kind := event.get("type") or "") not in ("Normal", "Warning"):
        errors.invalid("type", "", f"has invalid value: {kind}")
    for name in _NOT_HERE:
        if event.get(name):
            errors.invalid(name, "", "needs to be unset")
    if dig(event, "source", "component") or dig(event, "source", "host"):
        errors.invalid("source", "", "needs to be unset")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Only the series of an event may change."""
    event, stored = to_storage(obj), to_storage(old)
    if event.get("series") != stored.get("series"):
        _validate_series(event, errors)
    for name in _FIXED:
        if (event.get(name) or None) != (stored.get(name) or None):
            errors.invalid(_MESSAGE_NAMES.get(name, name), event.get(name), "field is immutable")


def _validate_series(event: JsonObject, errors: FieldErrors) -> None:
    series = event.get("series")
    if series is None:
        return
    if (series.get("count") or 0) < 2:
        errors.invalid("series.count", "", "should be at least 2")
    if not series.get("lastObservedTime"):
        errors.required("series.lastObservedTime")


def _as_core(column: Column) -> Column:
    return Column(
        column.name,
        lambda obj, now: column.cell(to_storage(obj), now),
        column.type,
        column.format,
        column.description,
        column.priority,
    )


def _of_core(read: Callable[[JsonObject], str]) -> Callable[[JsonObject], str]:
    return lambda obj: read(to_storage(obj))


_OUR_FIELDS = {
    name: {"reportingComponent": "reportingController"}.get(name, name.replace("involvedObject.", "regarding."))
    for name in core.RESOURCE.selectable_fields
    if name != "source"
}
"""Selectable fields of the core Event, and what they are called here."""

RESOURCE = Resource(
    kind=Event,
    group="events.k8s.io",
    version="v1",
    plural="events",
    singular="event",
    short_names=("ev",),
    generation=False,
    create_on_update=True,
    validate=validate,
    validate_create=validate_create,
    validate_update=validate_update,
    validate_name=dns_subdomain,
    columns=tuple(_as_core(column) for column in core.RESOURCE.columns),
    selectable_fields={ours: _of_core(core.RESOURCE.selectable_fields[name]) for name, ours in _OUR_FIELDS.items()},
    stored_as=("", "v1"),
    stored_fields={ours: name for name, ours in _OUR_FIELDS.items()},
    to_storage=to_storage,
    from_storage=from_storage,
)
