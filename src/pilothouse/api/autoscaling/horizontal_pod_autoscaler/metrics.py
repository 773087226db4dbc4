"""Rules for one metric of an autoscaler: which source it has, and what it aims at.

Source of the facts: validateMetricSpec and its neighbours in pkg/apis/autoscaling/validation/validation.go.
"""

from collections.abc import Callable

from pilothouse.api.autoscaling.horizontal_pod_autoscaler.references import validate_reference
from pilothouse.api.core.pod.validation.requirements import validate_container_resource_name
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.names import dns_label, path_segment
from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.machinery.view import JsonObject

SOURCES = {"Object": "object", "External": "external", "Pods": "pods", "Resource": "resource",
           "ContainerResource": "containerResource"}  # fmt: skip
"""The types of metrics and the fields that describe them, in the order in which upstream looks at these."""

_TARGETS = ("Utilization", "Value", "AverageValue")


def validate_metric(metric: JsonObject, errors: FieldErrors, path: str) -> None:
    """The source that the type promises, and no other."""
    kind = metric.get("type") or ""
    if not kind:
        errors.required(f"{path}.type", "must specify a metric source type")
    if kind not in SOURCES:
        errors.not_supported(f"{path}.type", kind, sorted(SOURCES))
    present = [name for name in SOURCES.values() if metric.get(name) is not None]
    if present:
        _RULES[present[0]](metric[present[0]], errors, f"{path}.{present[0]}")
    expected = SOURCES.get(kind)
    if expected is None:
        errors.not_supported(f"{path}.type", kind, sorted(SOURCES))
    elif expected not in present:
        errors.required(f"{path}.{expected}", "must populate information for the given metric source")
    for name in present if len(present) > 1 else ():
        if name != expected:
            errors.forbidden(f"{path}.{name}", "must populate the given metric source only")


def _object(source: JsonObject, errors: FieldErrors, path: str) -> None:
    validate_reference(source.get("describedObject") or {}, errors, f"{path}.describedObject")
    target = _named(source, errors, path)
    if target.get("value") is None and target.get("averageValue") is None:
        errors.required(f"{path}.target.averageValue", "must set either a target value or averageValue")


def _external(source: JsonObject, errors: FieldErrors, path: str) -> None:
    target = _named(source, errors, path)
    whole, each = target.get("value") is not None, target.get("averageValue") is not None
    if not whole and not each:
        why = "must set either a target value for metric or a per-pod target"
        errors.required(f"{path}.target.averageValue", why)
    if whole and each:
        why = "may not set both a target value for metric and a per-pod target"
        errors.forbidden(f"{path}.target.value", why)


def _pods(source: JsonObject, errors: FieldErrors, path: str) -> None:
    if _named(source, errors, path).get("averageValue") is None:
        errors.required(f"{path}.target.averageValue", "must specify a positive target averageValue")


def _resource(source: JsonObject, errors: FieldErrors, path: str) -> None:
    if not source.get("name"):
        errors.required(f"{path}.name", "must specify a resource name")
    _usage(source, errors, path)


def _container_resource(source: JsonObject, errors: FieldErrors, path: str) -> None:
    if name := source.get("name"):
        validate_container_resource_name(name, errors, f"{path}.name")
    else:
        errors.required(f"{path}.name", "must specify a resource name")
    container = source.get("container") or ""
    if not container:
        errors.required(f"{path}.container", "must specify a container")
    for wrong in dns_label(container) if container else ():
        errors.invalid(f"{path}.container", container, wrong)
    _usage(source, errors, path)


def _usage(source: JsonObject, errors: FieldErrors, path: str) -> None:
    """The target of a resource: an amount, or a share of what was requested."""
    target = source.get("target") or {}
    _validate_target(target, errors, f"{path}.target")
    share, amount = target.get("averageUtilization") is not None, target.get("averageValue") is not None
    if not share and not amount:
        why = "must set either a target raw value or a target utilization"
        errors.required(f"{path}.target.averageUtilization", why)
    if share and amount:
        why = "may not set both a target raw value and a target utilization"
        errors.forbidden(f"{path}.target.averageValue", why)


def _named(source: JsonObject, errors: FieldErrors, path: str) -> JsonObject:
    """Check the metric's name and target, and return the target."""
    name = (source.get("metric") or {}).get("name") or ""
    if not name:
        errors.required(f"{path}.metric.name", "must specify a metric name")
    for wrong in path_segment(name) if name else ():
        errors.invalid(f"{path}.metric.name", name, wrong)
    target: JsonObject = source.get("target") or {}
    _validate_target(target, errors, f"{path}.target")
    return target


def _validate_target(target: JsonObject, errors: FieldErrors, path: str) -> None:
    kind = target.get("type") or ""
    if not kind:
        errors.required(f"{path}.type", "must specify a metric target type")
    if kind not in _TARGETS:
        errors.invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue")
    for name in ("value", "averageValue"):
        if (amount := target.get(name)) is not None and parse_quantity(str(amount)).nano <= 0:
            errors.invalid(f"{path}.{name}", amount, "must be positive")
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        errors.invalid(f"{path}.averageUtilization", share, "must be greater than 0")


_RULES: dict[str, Callable[[JsonObject, FieldErrors, str], None]] = {
    "object": _object,
    "external": _external,
    "pods": _pods,
    "resource": _resource,
    "containerResource": _container_resource,
}
