"""ResourceClaim: asks for devices, and says which were allocated."""

from pilothouse.api.machinery.columns import AGE, dig
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
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


RESOURCE = Resource(
    kind=ResourceClaim,
    group="resource.k8s.io",
    version="v1",
    plural="resourceclaims",
    singular="resourceclaim",
    subresources=(STATUS,),
    generation=False,
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    columns=(
        Column("State", _state),
        AGE,
    ),
)
