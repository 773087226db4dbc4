"""PriorityLevelConfiguration: how many requests of a level run and wait at once.

Sources of the facts: pkg/apis/flowcontrol/v1/defaults.go, pkg/apis/flowcontrol/validation/validation.go,
apiserver/pkg/util/shufflesharding (for the bits of a hand), pkg/printers/internalversion/printers.go. API page:
flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration.
"""

from math import ceil, log2

from pilothouse.api.core.pod.update import same
from pilothouse.api.flowcontrol.mandatory import EXEMPT, LEVELS
from pilothouse.api.flowcontrol.validation import validate_conditions
from pilothouse.api.machinery.columns import AGE, NONE, dig, show
from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.names import in_range
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.flowcontrol_v1 import PriorityLevelConfiguration

_TYPES = ("Exempt", "Limited")
_RESPONSES = ("Queue", "Reject")
_MOST_QUEUES = 10_000_000
_HASH_BITS = 60
_NOT_NEGATIVE = "must be a non-negative integer"
_SHARES, _LENT = "nominalConcurrencyShares", "lendablePercent"


def default(obj: JsonObject) -> None:
    """Thirty shares, none lent; queues as the docs recommend."""
    spec = obj.get("spec") or {}
    for part, shares in (("exempt", 0), ("limited", 30)):
        if (found := spec.get(part)) is not None:
            _fill(found, {_SHARES: shares, _LENT: 0})
    if (queuing := dig(spec, "limited", "limitResponse", "queuing")) is not None:
        _fill(queuing, {"queues": 64, "handSize": 8, "queueLengthLimit": 50}, zero_counts=False)


def _fill(found: JsonObject, values: dict[str, int], *, zero_counts: bool = True) -> None:
    for name, value in values.items():
        if found.get(name) is None or (not found[name] and not zero_counts):
            found[name] = value


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """One level is exempt from limits; all others have some. Two are fixed."""
    name, spec = dig(obj, "metadata", "name") or "", obj.get("spec") or {}
    kind, limited, exempt = spec.get("type") or "", spec.get("limited"), spec.get("exempt")
    if (name == EXEMPT) != (kind == "Exempt"):
        errors.invalid("spec.type", kind, "type must be 'Exempt' if and only if name is 'exempt'")
    match kind:
        case "Exempt":
            if limited is not None:
                errors.forbidden("spec.limited", "must be nil if the type is not Limited")
            _validate_shares(exempt or {}, errors, "spec.exempt")
        case "Limited":
            if exempt is not None:
                errors.forbidden("spec.exempt", "must be nil if the type is Limited")
            if limited is None:
                errors.required("spec.limited", "must not be empty when type is Limited")
            else:
                _validate_limited(limited, errors, "spec.limited")
        case _:
            errors.not_supported("spec.type", kind, _TYPES)
    _validate_fixed(name, spec, errors)


def _validate_fixed(name: str, spec: JsonObject, errors: FieldErrors) -> None:
    fixed = LEVELS.get(name)
    if fixed is None:
        return
    if name == EXEMPT:
        if not same({**spec, "exempt": fixed["exempt"]}, fixed):
            words = f"spec of '{name}' except the spec.exempt field must equal the fixed value"
            errors.invalid("spec", spec, words)
    elif not same(spec, fixed):
        errors.invalid("spec", spec, f"spec of '{name}' must equal the fixed value")


def _validate_shares(part: JsonObject, errors: FieldErrors, path: str) -> None:
    shares, lent = part.get(_SHARES), part.get(_LENT)
    if shares is not None and shares < 0:
        errors.invalid(at(path, _SHARES), shares, _NOT_NEGATIVE)
    if lent is not None:
        for wrong in in_range(lent, 0, 100):
            errors.invalid(at(path, _LENT), lent, wrong)


def _validate_limited(limited: JsonObject, errors: FieldErrors, path: str) -> None:
    _validate_shares(limited, errors, path)
    borrowed = limited.get("borrowingLimitPercent")
    if borrowed is not None and borrowed < 0:
        errors.invalid(at(path, "borrowingLimitPercent"), borrowed, f"if specified, {_NOT_NEGATIVE}")
    response, where = limited.get("limitResponse") or {}, at(path, "limitResponse")
    queuing = response.get("queuing")
    match response.get("type"):
        case "Reject":
            if queuing is not None:
                words = "must be nil if limited.limitResponse.type is not Limited"
                errors.forbidden(at(where, "queuing"), words)
        case "Queue":
            if queuing is None:
                words = "must not be empty if limited.limitResponse.type is Limited"
                errors.required(at(where, "queuing"), words)
            else:
                _validate_queuing(queuing, errors, at(where, "queuing"))
        case other:
            errors.not_supported(at(where, "type"), other or "", _RESPONSES)


def _validate_queuing(queuing: JsonObject, errors: FieldErrors, path: str) -> None:
    limit, queues, hand = (queuing.get(name) or 0 for name in ("queueLengthLimit", "queues", "handSize"))
    if limit <= 0:
        errors.invalid(at(path, "queueLengthLimit"), limit, "must be positive")
    if queues <= 0:
        errors.invalid(at(path, "queues"), queues, "must be positive")
    elif queues > _MOST_QUEUES:
        errors.invalid(at(path, "queues"), queues, f"must not be greater than {_MOST_QUEUES}")
    where = at(path, "handSize")
    if hand <= 0:
        errors.invalid(where, hand, "must be positive")
    elif hand > queues:
        errors.invalid(where, hand, f"should not be greater than queues ({queues})")
    elif ceil(log2(queues) * hand) > _HASH_BITS:
        words = (
            f"required entropy bits of deckSize {queues} and handSize {hand} should not be greater than {_HASH_BITS}"
        )
        errors.invalid(where, hand, words)


RESOURCE = Resource(
    kind=PriorityLevelConfiguration,
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    plural="prioritylevelconfigurations",
    singular="prioritylevelconfiguration",
    namespaced=False,
    subresources=(STATUS,),
    unconditional_update=False,
    default=default,
    prepare_for_create=fresh_status(),
    prepare_for_update=keep_status,
    validate=validate,
    validate_status=validate_conditions,
    columns=(
        Column("Type", show("spec", "type")),
        Column("NominalConcurrencyShares", show("spec", "limited", "nominalConcurrencyShares", absent=NONE)),
        Column("Queues", show("spec", "limited", "limitResponse", "queuing", "queues", absent=NONE)),
        Column("HandSize", show("spec", "limited", "limitResponse", "queuing", "handSize", absent=NONE)),
        Column(
            "QueueLengthLimit", show("spec", "limited", "limitResponse", "queuing", "queueLengthLimit", absent=NONE)
        ),
        AGE,
    ),
)
