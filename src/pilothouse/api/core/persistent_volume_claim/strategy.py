"""What becomes of a claim before it is stored: no status of the writer's, and one data source under both its names.

Sources of the facts: pkg/registry/core/persistentvolumeclaim/strategy.go, pkg/api/persistentvolumeclaim/util.go;
KEP-1495 for the two names.
"""

from typing import Any

from pilothouse.api.core.persistent_volume_claim.validation import CLASS_ANNOTATION
from pilothouse.api.machinery.columns import dig
from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.machinery.strategy import keep_status
from pilothouse.api.machinery.view import JsonObject

_OLD_SOURCES = frozenset({("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot")})
"""What `dataSource` can name; anything else is for `dataSourceRef`."""
CLASS_WORDS = 'deprecated since v1.8; use "storageClassName" attribute instead'


def prepare_for_create(obj: JsonObject) -> None:
    """A new claim is pending."""
    obj["status"] = {"phase": "Pending"}
    _settle_sources(obj.get("spec") or {}, {})


def prepare_for_update(obj: JsonObject, old: JsonObject) -> None:
    """The stored status stays."""
    keep_status(obj, old)
    _settle_sources(obj.get("spec") or {}, old.get("spec") or {})


def _settle_sources(spec: JsonObject, before: JsonObject) -> None:
    source = spec.get("dataSource")
    known = source is not None and (source.get("apiGroup") or "", source.get("kind")) in _OLD_SOURCES
    if source is not None and not known and not _has_source(before):
        del spec["dataSource"]
        source = None
    reference = spec.get("dataSourceRef")
    if source is not None and reference is None:
        spec["dataSourceRef"] = dict(source)
    elif reference is not None and source is None and not reference.get("namespace"):
        spec["dataSource"] = {name: value for name, value in reference.items() if name != "namespace"}


def _has_source(spec: JsonObject) -> bool:
    return spec.get("dataSource") is not None or spec.get("dataSourceRef") is not None


def warn(obj: JsonObject, _old: JsonObject | None) -> list[str]:
    """Of the annotation that was the class, and of parts of bytes."""
    told = [f"metadata.annotations[{CLASS_ANNOTATION}]: {CLASS_WORDS}"] if has_class_annotation(obj) else []
    asked: Any = dig(obj, "spec", "resources", "requests", "storage")
    if asked is not None and (amount := parse_quantity(asked)).milli() % 1000:
        words = f'fractional byte value "{amount}" is invalid, must be an integer'
        told.append(f"spec.resources.requests[storage]: {words}")
    return told


def has_class_annotation(obj: JsonObject) -> bool:
    """Whether an object names its class the old way."""
    return CLASS_ANNOTATION in (dig(obj, "metadata", "annotations") or {})
