"""What the kinds look like, as OpenAPI describes them: API servers' own definitions do not have them."""

from collections.abc import Mapping
from typing import Any

from pilothouse.api.machinery.schema.load import META, QUANTITY, REFERENCE

_GROUP, _VERSION = "metrics.k8s.io", "v1beta1"
_PACKAGE = "io.k8s.metrics.pkg.apis.metrics.v1beta1"
_KIND = {
    "apiVersion": {"type": "string", "description": "The version of the schema that this object has."},
    "kind": {"type": "string", "description": "What this object is."},
}
_USAGE = {
    "type": "object",
    "description": "How much is used, by resource: cpu, memory, swap. The memory is the working set.",
    "additionalProperties": {"$ref": f"{REFERENCE}{QUANTITY}"},
}
_TIMES = {
    "timestamp": {"$ref": f"{REFERENCE}{META}.Time", "description": "When the usage was measured last."},
    "window": {"type": "string", "description": "The time before the timestamp over which CPU usage is averaged."},
}


def _refer(name: str, description: str) -> dict[str, str]:
    return {"$ref": f"{REFERENCE}{name}", "description": description}


def _kind(name: str, description: str, *required: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "required": sorted(required),
        "properties": dict(sorted({**_KIND, **fields}.items())),
        "x-kubernetes-group-version-kind": [{"group": _GROUP, "version": _VERSION, "kind": name}],
    }


def _items(name: str, description: str) -> dict[str, Any]:
    return {"type": "array", "description": description, "items": {"$ref": f"{REFERENCE}{_PACKAGE}.{name}"}}


_OBJECT = _refer(f"{META}.ObjectMeta", "Name and labels are those of what is measured.")
_LIST = _refer(f"{META}.ListMeta", "Metadata of the list.")
DEFINITIONS: Mapping[str, dict[str, Any]] = {
    f"{_PACKAGE}.ContainerMetrics": {
        "type": "object",
        "description": "What a container uses.",
        "required": ["name", "usage"],
        "properties": {"name": {"type": "string", "description": "The container's name in its pod."}, "usage": _USAGE},
    },
    f"{_PACKAGE}.NodeMetrics": _kind(
        "NodeMetrics", "What a node uses.", "timestamp", "window", "usage",
        metadata=_OBJECT, usage=_USAGE, **_TIMES,
    ),
    f"{_PACKAGE}.NodeMetricsList": _kind(
        "NodeMetricsList", "What several nodes use.", "items",
        metadata=_LIST, items=_items("NodeMetrics", "One for each node."),
    ),
    f"{_PACKAGE}.PodMetrics": _kind(
        "PodMetrics", "What a pod's containers use.", "timestamp", "window", "containers",
        metadata=_OBJECT, containers=_items("ContainerMetrics", "One for each container that runs."), **_TIMES,
    ),
    f"{_PACKAGE}.PodMetricsList": _kind(
        "PodMetricsList", "What the containers of several pods use.", "items",
        metadata=_LIST, items=_items("PodMetrics", "One for each pod."),
    ),
}  # fmt: skip
"""By their full names."""
