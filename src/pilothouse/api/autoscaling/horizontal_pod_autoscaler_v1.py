"""HorizontalPodAutoscaler as autoscaling/v1 serves it: CPU alone in the spec, the rest as JSON in annotations.

Stored as autoscaling/v2, so an object written through either version can be read through the other without loss.
Source of the facts: pkg/apis/autoscaling/v1/conversion.go and annotations.go.
"""

import contextlib
from typing import Any

import orjson

from pilothouse.api.autoscaling import horizontal_pod_autoscaler as v2
from pilothouse.api.autoscaling.horizontal_pod_autoscaler import validation as rules
from pilothouse.api.machinery.codec import json
from pilothouse.api.machinery.codec.syntax import MalformedError
from pilothouse.api.machinery.columns import Cell, dig
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.resource import STATUS, Column, Resource
from pilothouse.api.machinery.shapes import EACH, Shape, amount, fits, int32, text
from pilothouse.api.machinery.strategy import keep_status
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.autoscaling_v1 import HorizontalPodAutoscaler
from pilothouse.runtime.clock import Instant

_PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS = f"{_PREFIX}metrics"
CURRENT_METRICS = f"{_PREFIX}current-metrics"
CONDITIONS = f"{_PREFIX}conditions"
BEHAVIOR = f"{_PREFIX}behavior"

# (v2 path, v1 name) of each metric source; the paths begin below the source's own object.
_SPEC_FIELDS: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "object": (
        (("describedObject",), "target"),
        (("metric", "name"), "metricName"),
        (("metric", "selector"), "selector"),
        (("target", "value"), "targetValue"),
        (("target", "averageValue"), "averageValue"),
    ),
    "pods": (
        (("metric", "name"), "metricName"),
        (("metric", "selector"), "selector"),
        (("target", "averageValue"), "targetAverageValue"),
    ),
    "resource": (
        (("name",), "name"),
        (("target", "averageUtilization"), "targetAverageUtilization"),
        (("target", "averageValue"), "targetAverageValue"),
    ),
    "containerResource": (
        (("name",), "name"),
        (("container",), "container"),
        (("target", "averageUtilization"), "targetAverageUtilization"),
        (("target", "averageValue"), "targetAverageValue"),
    ),
    "external": (
        (("metric", "name"), "metricName"),
        (("metric", "selector"), "metricSelector"),
        (("target", "value"), "targetValue"),
        (("target", "averageValue"), "targetAverageValue"),
    ),
}
_CURRENT_NAMES = {"targetValue": "currentValue", "targetAverageValue": "currentAverageValue",
                  "targetAverageUtilization": "currentAverageUtilization"}  # fmt: skip
_STATUS_FIELDS = {
    source: tuple(
        (("current", *path[1:]) if path[0] == "target" else path, _CURRENT_NAMES.get(name, name))
        for path, name in fields
    )
    for source, fields in _SPEC_FIELDS.items()
}
_SELECTOR = {"matchLabels": {EACH: text}, "matchExpressions": [{"key": text, "operator": text, "values": [text]}]}
_NAMES = ("metricName", "name", "container")
_AMOUNTS = ("targetValue", "averageValue", "targetAverageValue", "currentValue", "currentAverageValue")
_SOURCE = {
    **dict.fromkeys(_NAMES, text), **dict.fromkeys(_AMOUNTS, amount),
    **dict.fromkeys(("selector", "metricSelector"), _SELECTOR),
    **dict.fromkeys(("targetAverageUtilization", "currentAverageUtilization"), int32),
    "target": {"kind": text, "name": text, "apiVersion": text},
}  # fmt: skip
_RULES = {
    "stabilizationWindowSeconds": int32, "selectPolicy": text, "tolerance": amount,
    "policies": [{"type": text, "value": int32, "periodSeconds": int32}],
}  # fmt: skip
_CONDITION = dict.fromkeys(("type", "status", "lastTransitionTime", "reason", "message"), text)
_SHAPES: dict[str, Shape] = {
    METRICS: [{"type": text, **dict.fromkeys(_SPEC_FIELDS, _SOURCE)}],
    CURRENT_METRICS: [{"type": text, **dict.fromkeys(_SPEC_FIELDS, _SOURCE)}],
    CONDITIONS: [_CONDITION],
    BEHAVIOR: {"scaleUp": _RULES, "scaleDown": _RULES},
}
"""What the annotations must be: anybody can write them."""
_Fields = dict[str, tuple[tuple[tuple[str, ...], str], ...]]


def default(obj: JsonObject) -> None:
    """One replica at least; the metric is defaulted by the conversion, which sees the annotations."""
    spec = obj.setdefault("spec", {})
    if spec.get("minReplicas") is None:
        spec["minReplicas"] = 1


def to_storage(obj: JsonObject) -> JsonObject:
    """The autoscaling/v2 object this one means."""
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metadata = dict(obj.get("metadata") or {})
    annotations = dict(metadata.get("annotations") or {})
    utilization = spec.pop("targetCPUUtilizationPercentage", None)
    used = status.pop("currentCPUUtilizationPercentage", None)
    metrics = [_to_v2(metric, _SPEC_FIELDS) for metric in _read(annotations, METRICS) or ()]
    if utilization is not None:
        metrics.append(v2.cpu_metric(utilization))
    spec["metrics"] = metrics or [v2.cpu_metric(v2.DEFAULT_CPU_UTILIZATION)]
    if behavior := _read(annotations, BEHAVIOR):
        spec["behavior"] = behavior
    if current := _read(annotations, CURRENT_METRICS):
        status["currentMetrics"] = [_to_v2(metric, _STATUS_FIELDS) for metric in current]
    elif used is not None:
        cpu = {"name": "cpu", "current": {"averageUtilization": used}}
        status["currentMetrics"] = [{"type": "Resource", "resource": cpu}]
    status.setdefault("currentMetrics", None)
    if conditions := _read(annotations, CONDITIONS):
        status["conditions"] = conditions
    _put_annotations(metadata, annotations)
    return {**obj, "apiVersion": "autoscaling/v2", "metadata": metadata, "spec": spec, "status": status}


def from_storage(obj: JsonObject) -> JsonObject:
    """The autoscaling/v1 form of an autoscaling/v2 object."""
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metadata = dict(obj.get("metadata") or {})
    annotations = dict(metadata.get("annotations") or {})
    others = []
    for metric in spec.pop("metrics", None) or ():
        utilization = dig(metric, "resource", "target", "averageUtilization")
        if _is_cpu(metric) and utilization is not None:
            spec["targetCPUUtilizationPercentage"] = utilization
        else:
            others.append(_to_v1(metric, _SPEC_FIELDS))
    current = status.pop("currentMetrics", None) or ()
    for metric in current:
        used = dig(metric, "resource", "current", "averageUtilization")
        if _is_cpu(metric) and used is not None:
            status["currentCPUUtilizationPercentage"] = used
    status.setdefault("currentReplicas", 0)
    _write(annotations, METRICS, others)
    _write(annotations, CURRENT_METRICS, [_to_v1(metric, _STATUS_FIELDS) for metric in current])
    _write(annotations, CONDITIONS, status.pop("conditions", None))
    _write(annotations, BEHAVIOR, spec.pop("behavior", None))
    _put_annotations(metadata, annotations)
    return {**obj, "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


def _is_cpu(metric: JsonObject) -> bool:
    return metric.get("type") == "Resource" and dig(metric, "resource", "name") == "cpu"


def _put_annotations(metadata: JsonObject, annotations: JsonObject) -> None:
    if annotations:
        metadata["annotations"] = annotations
    else:
        metadata.pop("annotations", None)


def _read(annotations: JsonObject, key: str) -> Any:
    """What an annotation of ours holds; it leaves the object in any case. Something else is dropped, as upstream does.

    *assumed*: a list with a null in it is something else, too.
    """
    written = annotations.pop(key, None)
    with contextlib.suppress(MalformedError):
        value = json.decode(written.encode()) if written else None
        return value if fits(value, _SHAPES[key]) else None
    return None


def _write(annotations: JsonObject, key: str, value: Any) -> None:
    if value:
        annotations[key] = orjson.dumps(value).decode()


def _to_v1(metric: JsonObject, fields: _Fields) -> JsonObject:
    converted: JsonObject = {"type": metric.get("type", "")}
    for source, names in fields.items():
        if metric.get(source) is not None:
            found = {name: dig(metric[source], *path) for path, name in names}
            converted[source] = {name: value for name, value in found.items() if value is not None}
    return converted


def _to_v2(metric: JsonObject, fields: _Fields) -> JsonObject:
    converted: JsonObject = {"type": metric.get("type", "")}
    for source, names in fields.items():
        old = metric.get(source)
        if old is None:
            continue
        new: JsonObject = {}
        for path, name in names:
            if old.get(name) is not None:
                parent = new if len(path) == 1 else new.setdefault(path[0], {})
                parent[path[-1]] = old[name]
        if "target" in new and fields is _SPEC_FIELDS:
            new["target"]["type"] = _target_type(new["target"])
        converted[source] = new
    return converted


def _target_type(target: JsonObject) -> str:
    if "averageUtilization" in target:
        return "Utilization"
    return "AverageValue" if "averageValue" in target else "Value"


def _through_v2(column: Column) -> Column:
    def cell(obj: JsonObject, now: Instant) -> Any:
        return column.cell(to_storage(obj), now)

    shown: Cell = cell
    return Column(column.name, shown, column.type, column.format, column.description, column.priority)


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """The rules of the stored version, whose fields the messages name."""
    rules.validate(to_storage(obj), errors)


def validate_create(obj: JsonObject, errors: FieldErrors) -> None:
    """The same for new objects."""
    rules.validate_create(to_storage(obj), errors)


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """The same for changes."""
    rules.validate_update(to_storage(obj), to_storage(old), errors)


def _fresh_status(obj: JsonObject) -> None:
    obj["status"] = {"currentReplicas": 0, "desiredReplicas": 0}


RESOURCE = Resource(
    kind=HorizontalPodAutoscaler,
    group="autoscaling",
    version="v1",
    plural="horizontalpodautoscalers",
    singular="horizontalpodautoscaler",
    short_names=("hpa",),
    categories=("all",),
    subresources=(STATUS,),
    generation=False,
    default=default,
    prepare_for_create=_fresh_status,
    prepare_for_update=keep_status,
    validate=validate,
    validate_create=validate_create,
    validate_update=validate_update,
    validate_status=rules.validate_status,
    columns=tuple(_through_v2(column) for column in v2.RESOURCE.columns),
    stored_as=("autoscaling", "v2"),
    to_storage=to_storage,
    from_storage=from_storage,
)
