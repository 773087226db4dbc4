"""PodDisruptionBudget: how many pods of a set may be away by choice."""

from pilothouse.api.machinery.columns import AGE, Cell, dig, show
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.policy_v1 import PodDisruptionBudget
from pilothouse.runtime.clock import Instant


def show_number(field: str) -> Cell:
    """Make a cell that shows a number or percentage of the spec."""

    def cell(obj: JsonObject, _now: Instant) -> str:
        value = dig(obj, "spec", field)
        return "N/A" if value is None else str(value)

    return cell


RESOURCE = Resource(
    kind=PodDisruptionBudget,
    group="policy",
    version="v1",
    plural="poddisruptionbudgets",
    unconditional_update=False,
    singular="poddisruptionbudget",
    short_names=("pdb",),
    subresources=(STATUS,),
    prepare_for_create=fresh_status(currentHealthy=0, desiredHealthy=0, disruptionsAllowed=0, expectedPods=0),
    prepare_for_update=keep_status,
    columns=(
        Column("Min Available", show_number("minAvailable")),
        Column("Max Unavailable", show_number("maxUnavailable")),
        Column("Allowed Disruptions", show("status", "disruptionsAllowed", absent=0), type="integer"),
        AGE,
    ),
)
