"""APIService: a group and version served by another server."""

from pilothouse.api.machinery.columns import AGE, dig
from pilothouse.api.machinery.field import FieldErrors, quote
from pilothouse.api.machinery.names import path_segment
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.apiregistration_v1 import APIService
from pilothouse.runtime.clock import Instant


def _service(obj: JsonObject, _now: Instant) -> str:
    service = dig(obj, "spec", "service")
    return f"{service.get('namespace', '')}/{service.get('name', '')}" if service is not None else "Local"


def _available(obj: JsonObject, _now: Instant) -> str:
    found = next((c for c in dig(obj, "status", "conditions") or () if c.get("type") == "Available"), None)
    if found is None:
        return "Unknown"
    status = str(found.get("status", ""))
    return status if status == "True" else f"{status} ({found.get('reason', '')})"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """It is called after what it serves."""
    name, spec = dig(obj, "metadata", "name") or "", obj.get("spec") or {}
    wanted = f"{spec.get('version', '')}.{spec.get('group', '')}"
    if name != wanted:
        errors.invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: {quote(wanted)}')


RESOURCE = Resource(
    kind=APIService,
    group="apiregistration.k8s.io",
    version="v1",
    plural="apiservices",
    singular="apiservice",
    namespaced=False,
    categories=("api-extensions",),
    subresources=(STATUS,),
    generation=False,
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    validate=validate,
    validate_name=path_segment,
    columns=(
        Column("Service", _service),
        Column("Available", _available),
        AGE,
    ),
)
