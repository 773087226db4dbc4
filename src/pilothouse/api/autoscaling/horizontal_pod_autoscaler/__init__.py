"""HorizontalPodAutoscaler: changes the number of replicas as metrics demand. The stored version, autoscaling/v2.

What it must satisfy is in `validation`. Sources of the facts: pkg/apis/autoscaling/v2/defaults.go,
pkg/printers/internalversion/printers.go.
"""

from typing import Any

from pilothouse.api.autoscaling.horizontal_pod_autoscaler.metrics import SOURCES
from pilothouse.api.autoscaling.horizontal_pod_autoscaler.validation import (
    validate,
    validate_create,
    validate_status,
    validate_update,
)
from pilothouse.api.machinery.columns import AGE, NONE, UNKNOWN, UNSET, dig, show
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.strategy import fresh_status, keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.autoscaling_v2 import HorizontalPodAutoscaler
from pilothouse.runtime.clock import Instant

DEFAULT_CPU_UTILIZATION = 80
_SHOWN_METRICS = 2


def cpu_metric(utilization: int) -> JsonObject:
    """The metric that most autoscalers use: the average use of the CPU requested, in per cent."""
    target = {"type": "Utilization", "averageUtilization": utilization}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def default(obj: JsonObject) -> None:
    """One replica at least, 80 % of CPU, and whole scaling rules where some are given."""
    spec = obj.setdefault("spec", {})
    if spec.get("minReplicas") is None:
        spec["minReplicas"] = 1
    if not spec.get("metrics"):
        spec["metrics"] = [cpu_metric(DEFAULT_CPU_UTILIZATION)]
    behavior = spec.get("behavior")
    if behavior is not None:
        _default_rules(behavior, "scaleUp", _SCALE_UP_POLICIES, window=0)
        _default_rules(behavior, "scaleDown", _SCALE_DOWN_POLICIES, window=None)


_SCALE_UP_POLICIES = (("Pods", 4, 15), ("Percent", 100, 15))
_SCALE_DOWN_POLICIES = (("Percent", 100, 15),)


def _default_rules(
    behavior: JsonObject, name: str, policies: tuple[tuple[str, int, int], ...], *, window: int | None
) -> None:
    rules = behavior.get(name)
    if rules is None:
        rules = behavior[name] = {}
    if rules.get("stabilizationWindowSeconds") is None and window is not None:
        rules["stabilizationWindowSeconds"] = window
    if not rules.get("selectPolicy"):
        rules["selectPolicy"] = "Max"
    if rules.get("policies") is None:
        rules["policies"] = [
            {"type": kind, "value": value, "periodSeconds": period} for kind, value, period in policies
        ]


def _reference(obj: JsonObject, _now: Instant) -> str:
    target = dig(obj, "spec", "scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def _targets(obj: JsonObject, _now: Instant) -> str:
    specs = dig(obj, "spec", "metrics") or []
    statuses = dig(obj, "status", "currentMetrics") or []
    texts = [_metric(spec, statuses[at] if at < len(statuses) else {}) for at, spec in enumerate(specs)]
    shown = ", ".join(texts[:_SHOWN_METRICS])
    return f"{shown} + {len(texts) - _SHOWN_METRICS} more..." if len(texts) > _SHOWN_METRICS else shown or NONE


def _metric(spec: JsonObject, status: JsonObject) -> str:
    key = SOURCES.get(spec.get("type", ""))
    if key is None:
        return "<unknown type>"
    source: JsonObject = spec.get(key) or {}
    target: JsonObject = source.get("target") or {}
    current: JsonObject = dig(status, key, "current") or {}
    average = target.get("averageValue")
    if key in ("resource", "containerResource"):
        if average is not None:
            return f"{source.get('name', '')}: {current.get('averageValue') or UNKNOWN}/{average}"
        used, wanted = _percent(current, UNKNOWN), _percent(target, "<auto>")
        return f"{source.get('name', '')}: {used}/{wanted}"
    if key == "pods":
        return f"{current.get('averageValue') or UNKNOWN}/{average or 0}"
    if average is not None:
        return f"{current.get('averageValue') or UNKNOWN}/{average} (avg)"
    return f"{current.get('value') or UNKNOWN}/{target.get('value') or 0}"


def _percent(values: JsonObject, absent: str) -> str:
    percent: Any = values.get("averageUtilization")
    return absent if percent is None else f"{percent}%"


def _min_pods(obj: JsonObject, _now: Instant) -> str:
    least = dig(obj, "spec", "minReplicas")
    return UNSET if least is None else str(least)


RESOURCE = Resource(
    kind=HorizontalPodAutoscaler,
    group="autoscaling",
    version="v2",
    plural="horizontalpodautoscalers",
    singular="horizontalpodautoscaler",
    short_names=("hpa",),
    categories=("all",),
    subresources=(STATUS,),
    generation=False,
    default=default,
    prepare_for_create=fresh_status(currentMetrics=None, desiredReplicas=0),
    prepare_for_update=keep_status,
    validate=validate,
    validate_create=validate_create,
    validate_update=validate_update,
    validate_status=validate_status,
    columns=(
        Column("Reference", _reference),
        Column("Targets", _targets),
        Column("MinPods", _min_pods),
        Column("MaxPods", show("spec", "maxReplicas", absent=0)),
        Column("Replicas", show("status", "currentReplicas", absent=0)),
        AGE,
    ),
)
