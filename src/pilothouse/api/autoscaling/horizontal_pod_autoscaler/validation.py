"""What a HorizontalPodAutoscaler must satisfy, in the words of autoscaling/v2 whichever version it came in.

Sources of the facts: pkg/apis/autoscaling/validation/validation.go, pkg/registry/autoscaling/horizontalpodautoscaler/
strategy.go. Scaling to zero is allowed since v1.37 (KEP-2021).
"""

from pilothouse.api.autoscaling.horizontal_pod_autoscaler.metrics import validate_metric
from pilothouse.api.autoscaling.horizontal_pod_autoscaler.references import (
    validate_reference,
    validate_version,
    wrong_with_version,
)
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.field import FieldErrors, index
from pilothouse.api.machinery.number_rules import NOT_NEGATIVE, validate_count, validate_counts
from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.machinery.view import JsonObject

_SELECT_POLICIES = ("Disabled", "Max", "Min")
_POLICY_TYPES = ("Percent", "Pods")
_MAX_PERIOD, _MAX_WINDOW = 1800, 3600
_TO_ZERO = ("Object", "External")


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Bounds that fit each other, a target, metrics and behaviour."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    validate_count(least, errors, "spec.minReplicas")
    if most < 1:
        errors.invalid("spec.maxReplicas", most, "must be greater than 0")
    if least is not None and most < least:
        errors.invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    validate_reference(spec.get("scaleTargetRef") or {}, errors, "spec.scaleTargetRef")
    metrics = spec.get("metrics") or ()
    for position, metric in enumerate(metrics):
        validate_metric(metric, errors, index("spec.metrics", position))
    if least == 0 and not any(metric.get("type") in _TO_ZERO for metric in metrics):
        why = "must specify at least one Object or External metric to support scaling to zero replicas"
        errors.forbidden("spec.metrics", why)
    behavior = spec.get("behavior") or {}
    for name in ("scaleUp", "scaleDown"):
        if behavior.get(name) is not None:
            _validate_rules(behavior[name], errors, f"spec.behavior.{name}")


def _validate_rules(rules: JsonObject, errors: FieldErrors, path: str) -> None:
    window, select = rules.get("stabilizationWindowSeconds"), rules.get("selectPolicy")
    if window is not None and window < 0:
        errors.invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    if window is not None and window > _MAX_WINDOW:
        errors.invalid(f"{path}.stabilizationWindowSeconds", window, f"must be less than or equal to {_MAX_WINDOW}")
    if select is not None and select not in _SELECT_POLICIES:
        errors.not_supported(f"{path}.selectPolicy", select, _SELECT_POLICIES)
    policies = rules.get("policies") or ()
    if not policies:
        errors.required(f"{path}.policies", "must specify at least one Policy")
    for position, policy in enumerate(policies):
        _validate_policy(policy, errors, index(f"{path}.policies", position))
    tolerance = rules.get("tolerance")
    if tolerance is not None and parse_quantity(str(tolerance)).nano < 0:
        errors.invalid(f"{path}.tolerance", tolerance, NOT_NEGATIVE)


def _validate_policy(policy: JsonObject, errors: FieldErrors, path: str) -> None:
    kind, value, period = policy.get("type") or "", policy.get("value") or 0, policy.get("periodSeconds") or 0
    if kind not in _POLICY_TYPES:
        errors.not_supported(f"{path}.type", kind, _POLICY_TYPES)
    if value <= 0:
        errors.invalid(f"{path}.value", value, "must be greater than zero")
    if period <= 0:
        errors.invalid(f"{path}.periodSeconds", period, "must be greater than zero")
    if period > _MAX_PERIOD:
        errors.invalid(f"{path}.periodSeconds", period, f"must be less than or equal to {_MAX_PERIOD}")


def validate_create(obj: JsonObject, errors: FieldErrors) -> None:
    """Targets of new autoscalers name the group they are in."""
    _validate_target(obj, errors)
    _validate_described(obj, errors)


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """The same where the target changes; what was accepted without a good version may stay."""
    target, before = (dig(one, "spec", "scaleTargetRef") or {} for one in (obj, old))
    if any((target.get(name) or "") != (before.get(name) or "") for name in ("apiVersion", "kind")):
        _validate_target(obj, errors)
    if not any(wrong_with_version(reference, core=True) for _, reference in _described(old)):
        _validate_described(obj, errors)


def _validate_target(obj: JsonObject, errors: FieldErrors) -> None:
    target = dig(obj, "spec", "scaleTargetRef") or {}
    core = target.get("kind") == "ReplicationController"  # the only kind of the core group that scales
    validate_version(target, errors, "spec.scaleTargetRef", core=core)


def _validate_described(obj: JsonObject, errors: FieldErrors) -> None:
    for position, reference in _described(obj):
        validate_version(reference, errors, f"spec.metrics[{position}].object.describedObject", core=True)


def _described(obj: JsonObject) -> list[tuple[int, JsonObject]]:
    metrics = enumerate(dig(obj, "spec", "metrics") or ())
    return [(at, dig(metric, "object", "describedObject") or {}) for at, metric in metrics if metric.get("object")]


def validate_status(obj: JsonObject, _old: JsonObject, errors: FieldErrors) -> None:
    """Counts are not negative."""
    validate_counts(obj.get("status") or {}, ("currentReplicas", "desiredReplicas"), errors, "status")
