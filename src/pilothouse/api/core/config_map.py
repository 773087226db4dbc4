"""ConfigMap: configuration as text and bytes, read by pods.

Source of the facts: pkg/apis/core/validation/validation.go. API page: core/v1 ConfigMap.
"""

from collections.abc import Mapping

from pilothouse.api.machinery.columns import AGE
from pilothouse.api.machinery.field import FieldErrors, index
from pilothouse.api.machinery.names import config_map_key
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import ConfigMap
from pilothouse.runtime.clock import Instant

MAX_SIZE = 1024 * 1024
IMMUTABLE_WHEN_SET = "field is immutable when `immutable` is set"


def decoded_size(text: str) -> int:
    """How many bytes a base64 text stands for."""
    return len(text) * 3 // 4 - text[-2:].count("=")


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Keys do as file names and are in one of the two maps; all together at most 1 MiB."""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    for key in data:
        _validate_key("data", key, errors)
        if key in binary:
            errors.invalid(index("data", key), key, "duplicate of key present in binaryData")
    for key in binary:
        _validate_key("binaryData", key, errors)
    size = sum(len(value.encode()) for value in data.values()) + sum(map(decoded_size, binary.values()))
    if size > MAX_SIZE:
        errors.too_long("[]", MAX_SIZE)  # upstream names a path without a name


def _validate_key(field: str, key: str, errors: FieldErrors) -> None:
    for wrong in config_map_key(key):
        errors.invalid(index(field, key), key, wrong)


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """Once immutable, for ever immutable."""
    validate_immutable(obj, old, ("data", "binaryData"), errors)


def validate_immutable(obj: JsonObject, old: JsonObject, fields: tuple[str, ...], errors: FieldErrors) -> None:
    """What `immutable: true` in the stored object forbids, for ConfigMap and Secret."""
    if not old.get("immutable"):
        return
    if not obj.get("immutable"):
        errors.forbidden("immutable", IMMUTABLE_WHEN_SET)
    for field in fields:
        new, stored = obj.get(field) or {}, old.get(field) or {}
        if not isinstance(new, Mapping) or dict(new) != dict(stored):
            errors.forbidden(field, IMMUTABLE_WHEN_SET)


def _entries(obj: JsonObject, _now: Instant) -> int:
    return len(obj.get("data") or ()) + len(obj.get("binaryData") or ())


RESOURCE = Resource(
    kind=ConfigMap,
    group="",
    version="v1",
    plural="configmaps",
    singular="configmap",
    short_names=("cm",),
    generation=False,
    validate=validate,
    validate_update=validate_update,
    columns=(Column("Data", _entries), AGE),
)
