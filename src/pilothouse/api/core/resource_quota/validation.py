"""The rules of a ResourceQuota: what can be counted, and of which objects.

Source of the facts: ValidateResourceQuota and its relatives in pkg/apis/core/validation/validation.go,
pkg/apis/core/helper/helpers.go. *assumed*: which resources the scope VolumeAttributesClass is for.
"""

from collections.abc import Iterable, Sequence

from pilothouse.api.core.pod.validation.requirements import validate_amount, validate_resource_name
from pilothouse.api.machinery.field import FieldErrors, at
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.view import JsonObject

_COMPUTE = frozenset({"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"})
_OBJECTS = frozenset({
    "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps",
    "services.nodeports", "services.loadbalancers",
})  # fmt: skip
_STANDARD = _COMPUTE | _OBJECTS | {
    "ephemeral-storage", "requests.storage", "requests.ephemeral-storage", "limits.ephemeral-storage",
}  # fmt: skip
_HUGE = ("hugepages-", "requests.hugepages-")
_PODS = _COMPUTE | {"pods"}
_SCOPES = {
    "Terminating": _PODS,
    "NotTerminating": _PODS,
    "BestEffort": frozenset({"pods"}),
    "NotBestEffort": _PODS,
    "PriorityClass": _PODS,
    "CrossNamespacePodAffinity": _PODS,
    "VolumeAttributesClass": frozenset({"persistentvolumeclaims", "requests.storage"}),
}
"""The scopes, each with what of its objects can be counted."""
_WITHOUT_VALUES = frozenset({"Terminating", "NotTerminating", "BestEffort", "NotBestEffort",
                             "CrossNamespacePodAffinity"})  # fmt: skip
_CONTRADICTIONS = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_ONLY_EXISTS = (
    "must be 'Exist' only operator when scope is any of ResourceQuotaScopeTerminating, "
    "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
    "ResourceQuotaScopeCrossNamespacePodAffinity"
)
_SOME_VALUE = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
_NO_VALUE = "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector"
_UNSUPPORTED = "unsupported scope applied to resource"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Amounts of what can be counted, over scopes that it fits."""
    spec = obj.get("spec") or {}
    hard = spec.get("hard") or {}
    _validate_amounts(hard, errors, "spec.hard")
    _validate_scopes(spec.get("scopes") or (), hard, errors, "spec.scopes")
    if (selector := spec.get("scopeSelector")) is not None:
        _validate_selector(selector, spec, errors, "spec.scopeSelector.matchExpressions")


def _validate_amounts(amounts: JsonObject, errors: FieldErrors, path: str) -> None:
    for name, amount in amounts.items():
        where = f"{path}[{name}]"
        validate_resource_name(name, errors, where)
        if "/" not in name and not _is_standard(name):
            errors.invalid(where, name, "must be a standard resource for quota")
        validate_amount(name, amount, errors, where)


def _is_standard(name: str) -> bool:
    return name in _STANDARD or name.startswith(_HUGE)


def _validate_scopes(scopes: Sequence[str], hard: Iterable[str], errors: FieldErrors, path: str) -> None:
    shown = list(scopes)
    for scope in scopes:
        if scope not in _SCOPES:
            errors.invalid(path, shown, "unsupported scope")
        for _ in _misfits(scope, hard):
            errors.invalid(path, shown, _UNSUPPORTED)
    _validate_contradictions(scopes, scopes, errors, path)


def _misfits(scope: str, hard: Iterable[str]) -> list[str]:
    """The resources that cannot be counted by this scope."""
    fitting = _SCOPES.get(scope, frozenset())
    return [name for name in sorted(hard) if _is_standard(name) and name not in fitting]


def _validate_contradictions(found: Sequence[str], shown: Sequence[str] | None, errors: FieldErrors, path: str) -> None:
    for pair in _CONTRADICTIONS:
        if pair <= set(found):
            errors.invalid(path, None if shown is None else list(shown), "conflicting scopes")


def _validate_selector(selector: JsonObject, spec: JsonObject, errors: FieldErrors, path: str) -> None:
    requirements = selector.get("matchExpressions") or ()
    for requirement in requirements:
        scope = requirement.get("scopeName") or ""
        if scope not in _SCOPES:
            errors.invalid(at(path, "scopeName"), scope, "unsupported scope")
        for _ in _misfits(scope, spec.get("hard") or ()):
            errors.invalid(path, selector, _UNSUPPORTED)
        _validate_requirement(requirement, scope, errors, path)
    names = [requirement.get("scopeName") or "" for requirement in requirements]
    _validate_contradictions(names, spec.get("scopes"), errors, path)


def _validate_requirement(requirement: JsonObject, scope: str, errors: FieldErrors, path: str) -> None:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    if scope in _WITHOUT_VALUES and operator != "Exists":
        errors.invalid(at(path, "operator"), operator, _ONLY_EXISTS)
    match operator:
        case "In" | "NotIn":
            if not values:
                errors.required(at(path, "values"), _SOME_VALUE)
        case "Exists" | "DoesNotExist":
            if values:
                errors.invalid(at(path, "values"), values, _NO_VALUE)
        case _:
            errors.invalid(at(path, "operator"), operator, "not a valid selector operator")


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Other scopes would be another quota."""
    scopes = (obj.get("spec") or {}).get("scopes")
    if set(scopes or ()) != set((old.get("spec") or {}).get("scopes") or ()):
        errors.invalid("spec.scopes", scopes, IMMUTABLE)


def validate_status(obj: JsonObject, _old: JsonObject, errors: FieldErrors) -> None:
    """Amounts of what can be counted."""
    for name in ("hard", "used"):
        _validate_amounts((obj.get("status") or {}).get(name) or {}, errors, f"status.{name}")
