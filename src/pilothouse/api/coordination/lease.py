"""Lease: who holds something, and since when; heartbeats and leader election.

Sources of the facts: pkg/apis/coordination/validation/validation.go, pkg/printers/internalversion/printers.go.
API page: coordination.k8s.io/v1 Lease; KEP-4355 for strategy and preferred holder.
"""

from pilothouse.api.machinery.columns import AGE, show
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.names import label_key
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.coordination_v1 import Lease

_STRATEGIES = ("OldestEmulationVersion",)


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Durations are positive; a preferred holder needs a strategy."""
    spec = obj.get("spec") or {}
    seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if seconds is not None and seconds <= 0:
        errors.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    if transitions is not None and transitions < 0:
        errors.invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0")
    strategy = spec.get("strategy")
    if strategy is not None:
        _validate_strategy(strategy, errors)
    if spec.get("preferredHolder") and not strategy:
        errors.forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined")


def _validate_strategy(strategy: str, errors: FieldErrors) -> None:
    if "/" in strategy:
        for wrong in label_key(strategy):
            errors.invalid("spec.strategy.strategy", strategy, wrong)
    elif strategy not in _STRATEGIES:
        errors.not_supported("spec.strategy.strategy", strategy, _STRATEGIES)


RESOURCE = Resource(
    kind=Lease,
    group="coordination.k8s.io",
    version="v1",
    plural="leases",
    unconditional_update=False,
    singular="lease",
    generation=False,
    create_on_update=True,
    validate=validate,
    columns=(Column("Holder", show("spec", "holderIdentity")), AGE),
)
