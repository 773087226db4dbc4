"""FlowSchema: which requests belong to which priority level."""

from pilothouse.api.machinery.columns import AGE, NONE, dig, show
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.flowcontrol_v1 import FlowSchema
from pilothouse.runtime.clock import Instant


def _missing(obj: JsonObject, _now: Instant) -> str:
    found = (c for c in dig(obj, "status", "conditions") or () if c.get("type") == "Dangling")
    return next((c.get("status", "") for c in found), "?")


RESOURCE = Resource(
    kind=FlowSchema,
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    plural="flowschemas",
    singular="flowschema",
    namespaced=False,
    subresources=(STATUS,),
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    columns=(
        Column("PriorityLevel", show("spec", "priorityLevelConfiguration", "name")),
        Column("MatchingPrecedence", show("spec", "matchingPrecedence", absent=0)),
        Column("DistinguisherMethod", show("spec", "distinguisherMethod", "type", absent=NONE)),
        AGE,
        Column("MissingPL", _missing),
    ),
)
