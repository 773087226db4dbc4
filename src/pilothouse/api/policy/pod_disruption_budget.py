"""PodDisruptionBudget: how many pods of a set may be away by choice.

Sources of the facts: pkg/apis/policy/validation/validation.go (which asks nothing of the name but that it fits into a
path), pkg/registry/policy/poddisruptionbudget/strategy.go, pkg/printers/internalversion/printers.go. API page:
policy/v1 PodDisruptionBudget.
"""

from pilothouse.api.machinery.columns import AGE, Cell, dig, show
from pilothouse.api.machinery.condition_rules import validate_conditions
from pilothouse.api.machinery.field import FieldErrors, as_go_shows
from pilothouse.api.machinery.names import path_segment
from pilothouse.api.machinery.number_rules import validate_counts, validate_int_or_percent, validate_not_above_all
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.selector_rules import validate_label_selector
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.policy_v1 import PodDisruptionBudget
from pilothouse.runtime.clock import Instant

_SPEC = {"MinAvailable": None, "Selector": None, "MaxUnavailable": None, "UnhealthyPodEvictionPolicy": None}
_COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
_POLICIES = ("AlwaysAllow", "IfHealthyBudget")


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """One of the two limits, and a selector that can be read."""
    spec = obj.get("spec") or {}
    limits = [name for name in ("minAvailable", "maxUnavailable") if spec.get(name) is not None]
    if len(limits) == 2:
        why = "minAvailable and maxUnavailable cannot be both set"
        errors.invalid("spec", as_go_shows(spec, _SPEC), why)
    for name in limits:
        validate_int_or_percent(spec[name], errors, f"spec.{name}")
        validate_not_above_all(spec[name], errors, f"spec.{name}")
    validate_label_selector(spec.get("selector"), errors, "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in _POLICIES:
        errors.not_supported("spec.unhealthyPodEvictionPolicy", policy, _POLICIES)


def validate_status(obj: JsonObject, _old: JsonObject, errors: FieldErrors) -> None:
    """Conditions that say what they must, and counts that are not negative."""
    status = obj.get("status") or {}
    validate_conditions(status.get("conditions") or (), errors, "status.conditions")
    validate_counts(status, _COUNTS, errors, "status")


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
    validate=validate,
    validate_status=validate_status,
    validate_name=path_segment,
    columns=(
        Column("Min Available", show_number("minAvailable")),
        Column("Max Unavailable", show_number("maxUnavailable")),
        Column("Allowed Disruptions", show("status", "disruptionsAllowed", absent=0), type="integer"),
        AGE,
    ),
)
