"""Event: something that happened to an object.

Sources of the facts: pkg/apis/core/validation/events.go, pkg/apis/core/v1/conversion.go (selectable fields),
pkg/printers/internalversion/printers.go. API page: core/v1 Event. Events written in the old form, without eventTime,
are checked for their namespace alone; those of the new form in full.
"""

from typing import Any

from pilothouse.api.machinery.columns import dig, field_text, show, since
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.names import dns_subdomain, label_key, path_segment
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Event
from pilothouse.runtime.clock import Instant

_LIMITS = {"reportingInstance": 128, "action": 128, "reason": 128}
_MESSAGE_LIMIT = 1024


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Check the namespaces, and of events of the new form that they say who did what."""
    namespace = dig(obj, "metadata", "namespace") or ""
    involved = dig(obj, "involvedObject", "namespace") or ""
    if obj.get("eventTime"):
        # Events of cluster-scoped objects live where whoever watches over the cluster looks.
        fits = bool(involved) or namespace in ("default", "kube-system")
    else:
        fits = namespace == involved if involved else namespace in ("", "default")
    if not fits:
        errors.invalid("involvedObject.namespace", involved, "does not match event.namespace")
    if obj.get("eventTime"):
        _validate_new_form(obj, errors)
    for wrong in dns_subdomain(namespace):
        errors.invalid("namespace", namespace, wrong)


def _validate_new_form(obj: JsonObject, errors: FieldErrors) -> None:
    controller = obj.get("reportingComponent") or ""
    if not controller:
        errors.required("reportingController")
    for wrong in label_key(controller):
        errors.invalid("reportingController", controller, wrong)
    for name, limit in _LIMITS.items():
        text = obj.get(name) or ""
        if not text:
            errors.required(name)
        if len(text.encode()) > limit:
            errors.invalid(name, "", f"can have at most {limit} characters")
    if len((obj.get("message") or "").encode()) > _MESSAGE_LIMIT:
        errors.invalid("message", "", f"can have at most {_MESSAGE_LIMIT} characters")


def _moment(value: Any) -> str | None:
    return value or None


def _first(obj: JsonObject, now: Instant) -> str:
    return since(_moment(obj.get("firstTimestamp")) or _moment(obj.get("eventTime")), now)


def _last(obj: JsonObject, now: Instant) -> str:
    if obj.get("series") is not None:
        return since(_moment(dig(obj, "series", "lastObservedTime")), now)
    last = _moment(obj.get("lastTimestamp"))
    return since(last, now) if last else _first(obj, now)


def _count(obj: JsonObject, _now: Instant) -> int:
    if obj.get("series") is not None:
        return int(dig(obj, "series", "count") or 0)
    return obj.get("count") or 1


def _object(obj: JsonObject, _now: Instant) -> str:
    involved = obj.get("involvedObject") or {}
    kind = (involved.get("kind") or "").lower()
    return f"{kind}/{involved['name']}" if involved.get("name") else kind


def _source(obj: JsonObject, _now: Instant) -> str:
    component = dig(obj, "source", "component") or obj.get("reportingComponent") or ""
    instance = dig(obj, "source", "host") or obj.get("reportingInstance") or ""
    return f"{component}, {instance}" if instance else component


def _message(obj: JsonObject, _now: Instant) -> str:
    return (obj.get("message") or "").strip()


def _source_field(obj: JsonObject) -> str:
    return dig(obj, "source", "component") or obj.get("reportingComponent") or ""


RESOURCE = Resource(
    kind=Event,
    group="",
    version="v1",
    plural="events",
    singular="event",
    short_names=("ev",),
    generation=False,
    create_on_update=True,
    validate=validate,
    validate_name=path_segment,
    columns=(
        Column("Last Seen", _last),
        Column("Type", show("type")),
        Column("Reason", show("reason")),
        Column("Object", _object),
        Column("Subobject", show("involvedObject", "fieldPath"), priority=1),
        Column("Source", _source, priority=1),
        Column("Message", _message),
        Column("First Seen", _first, priority=1),
        Column("Count", _count, priority=1),
        Column("Name", show("metadata", "name"), format="name", priority=1),
    ),
    selectable_fields={
        "involvedObject.kind": field_text("involvedObject", "kind"),
        "involvedObject.namespace": field_text("involvedObject", "namespace"),
        "involvedObject.name": field_text("involvedObject", "name"),
        "involvedObject.uid": field_text("involvedObject", "uid"),
        "involvedObject.apiVersion": field_text("involvedObject", "apiVersion"),
        "involvedObject.resourceVersion": field_text("involvedObject", "resourceVersion"),
        "involvedObject.fieldPath": field_text("involvedObject", "fieldPath"),
        "reason": field_text("reason"),
        "reportingComponent": field_text("reportingComponent"),
        "source": _source_field,
        "type": field_text("type"),
    },
)
