"""ComponentStatus: health of control-plane parts; computed, never stored, deprecated since v1.19."""

from pilothouse.api.machinery.columns import Cell
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import ComponentStatus
from pilothouse.runtime.clock import Instant

_WORDS = {"True": "Healthy"}


def _health(field: str) -> Cell:
    def cell(obj: JsonObject, _now: Instant) -> str:
        found = next((c for c in obj.get("conditions") or () if c.get("type") == "Healthy"), None)
        if found is None:
            return "Unknown" if field == "status" else ""
        if field == "status":
            return _WORDS.get(found.get("status", ""), "Unhealthy")
        return str(found.get(field) or "")

    return cell


RESOURCE = Resource(
    kind=ComponentStatus,
    group="",
    version="v1",
    plural="componentstatuses",
    singular="componentstatus",
    namespaced=False,
    short_names=("cs",),
    verbs=("get", "list"),
    deprecated="v1 ComponentStatus is deprecated in v1.19+",
    generation=False,
    columns=(
        Column("Status", _health("status")),
        Column("Message", _health("message")),
        Column("Error", _health("error")),
    ),
)
