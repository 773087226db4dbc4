"""ResourceClaim: asks for devices, and says which were allocated.

`requests` has the rules of what it asks for, `allocation` of what became of it. Sources of the facts:
pkg/registry/resource/resourceclaim/strategy.go, pkg/printers/internalversion/printers.go. API page: resource.k8s.io/v1
ResourceClaim; KEP-4381.
"""

from pilothouse.api.machinery.columns import AGE, dig
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.meta import validate_immutable
from pilothouse.api.machinery.resource import Column, Resource, Subresource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.resource.allocation import drop_lost_devices, validate_status
from pilothouse.api.resource.requests import default_claim, validate_claim_spec
from pilothouse.api.types.resource_v1 import ResourceClaim
from pilothouse.runtime.clock import Instant


def _state(obj: JsonObject, _now: Instant) -> str:
    deleted = bool(dig(obj, "metadata", "deletionTimestamp"))
    states = ["deleted"] if deleted else []
    if dig(obj, "status", "allocation") is not None:
        states.append("allocated")
        if dig(obj, "status", "reservedFor"):
            states.append("reserved")
    elif not deleted:
        states.append("pending")
    return ",".join(states)


def default(obj: JsonObject) -> None:
    """One device of each."""
    default_claim(obj.setdefault("spec", {}))


def validate_create(obj: JsonObject, errors: FieldErrors) -> None:
    """What is asked for can be."""
    validate_claim_spec(obj.get("spec") or {}, errors, "spec")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Another wish is another claim."""
    validate_immutable(obj.get("spec"), old.get("spec"), errors, "spec")


def prepare_for_status(obj: JsonObject, old: JsonObject) -> None:
    """The wish stays, and reports of devices that are gone go."""
    obj["spec"] = old.get("spec") or {}
    drop_lost_devices(obj, old)


RESOURCE = Resource(
    kind=ResourceClaim,
    group="resource.k8s.io",
    version="v1",
    plural="resourceclaims",
    singular="resourceclaim",
    subresources=(Subresource("status", prepare=prepare_for_status),),
    default=default,
    generation=False,
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    validate_create=validate_create,
    validate_update=validate_update,
    validate_status=validate_status,
    columns=(
        Column("State", _state),
        AGE,
    ),
)
