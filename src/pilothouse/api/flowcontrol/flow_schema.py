"""FlowSchema: which requests belong to which priority level.

`validation` has its rules. Sources of the facts: pkg/apis/flowcontrol/v1/defaults.go,
pkg/printers/internalversion/printers.go. API page: flowcontrol.apiserver.k8s.io/v1 FlowSchema.
"""

from pilothouse.api.flowcontrol.validation import validate_conditions, validate_schema
from pilothouse.api.machinery.columns import AGE, NONE, dig, show
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.flowcontrol_v1 import FlowSchema
from pilothouse.runtime.clock import Instant


def default(obj: JsonObject) -> None:
    """It comes neither first nor last."""
    spec = obj.setdefault("spec", {})
    if not spec.get("matchingPrecedence"):
        spec["matchingPrecedence"] = 1000


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
    unconditional_update=False,
    default=default,
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    validate=validate_schema,
    validate_status=validate_conditions,
    columns=(
        Column("PriorityLevel", show("spec", "priorityLevelConfiguration", "name")),
        Column("MatchingPrecedence", show("spec", "matchingPrecedence", absent=0)),
        Column("DistinguisherMethod", show("spec", "distinguisherMethod", "type", absent=NONE)),
        AGE,
        Column("MissingPL", _missing),
    ),
)
