"""ControllerRevision: an immutable snapshot of a StatefulSet or DaemonSet, kept for rollback."""

from pilothouse.api.machinery.columns import AGE, NONE, dig, show
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.apps_v1 import ControllerRevision
from pilothouse.runtime.clock import Instant


def _controller(obj: JsonObject, _now: Instant) -> str:
    owners = dig(obj, "metadata", "ownerReferences") or ()
    owner = next((o for o in owners if o.get("controller")), None)
    if owner is None:
        return NONE
    group, _, _version = owner.get("apiVersion", "").rpartition("/")
    kind = owner.get("kind", "")
    return f"{kind}.{group}".rstrip(".").lower() + f"/{owner.get('name', '')}"


RESOURCE = Resource(
    kind=ControllerRevision,
    group="apps",
    version="v1",
    plural="controllerrevisions",
    singular="controllerrevision",
    generation=False,
    columns=(
        Column("Controller", _controller),
        Column("Revision", show("revision", absent=0)),
        AGE,
    ),
)
