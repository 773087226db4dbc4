"""ResourceQuota: how much the objects of a namespace may use in total.

`validation` has its rules. Source of the facts: pkg/printers/internalversion/printers.go. API page: core/v1
ResourceQuota.
"""

from pilothouse.api.core.pod.resources import canonical_resources
from pilothouse.api.core.resource_quota.validation import validate, validate_status, validate_update
from pilothouse.api.machinery.columns import AGE, Cell, dig
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import ResourceQuota
from pilothouse.runtime.clock import Instant


def default(obj: JsonObject) -> None:
    """Amounts are canonical."""
    for amounts in (dig(obj, "spec", "hard"), dig(obj, "status", "hard"), dig(obj, "status", "used")):
        canonical_resources(amounts or {})


def _amounts(*, limits: bool) -> Cell:
    def cell(obj: JsonObject, _now: Instant) -> str:
        hard, used = dig(obj, "status", "hard") or {}, dig(obj, "status", "used") or {}
        names = sorted(name for name in hard if name.startswith("limits.") is limits)
        return ", ".join(f"{name}: {used.get(name, 0)}/{hard[name]}" for name in names)

    return cell


RESOURCE = Resource(
    kind=ResourceQuota,
    group="",
    version="v1",
    plural="resourcequotas",
    answers_deleted_object=True,
    singular="resourcequota",
    short_names=("quota",),
    subresources=(STATUS,),
    generation=False,
    default=default,
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_status,
    columns=(Column("Request", _amounts(limits=False)), Column("Limit", _amounts(limits=True)), AGE),
)
