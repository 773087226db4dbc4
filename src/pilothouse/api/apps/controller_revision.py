"""ControllerRevision: an immutable snapshot of a StatefulSet or DaemonSet, kept for rollback.

Sources of the facts: pkg/apis/apps/validation/validation.go, pkg/registry/apps/controllerrevision/strategy.go,
pkg/printers/internalversion/printers.go. API page: apps/v1 ControllerRevision.
"""

from pilothouse.api.machinery.columns import AGE, NONE, dig, show
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.number_rules import validate_count
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.apps_v1 import ControllerRevision
from pilothouse.runtime.clock import Instant


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """It holds an object, and has a number in the order of revisions."""
    data = obj.get("data")
    if data is None:
        errors.required("data", "data is mandatory")
    elif not isinstance(data, dict):
        errors.required("data", "data must be a valid JSON object")
    validate_count(obj.get("revision"), errors, "revision")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """What it holds stays; only its place in the order may change."""
    validate_immutable(obj.get("data"), old.get("data"), errors, "data")


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
    validate=validate,
    validate_update=validate_update,
    columns=(
        Column("Controller", _controller),
        Column("Revision", show("revision", absent=0)),
        AGE,
    ),
)
