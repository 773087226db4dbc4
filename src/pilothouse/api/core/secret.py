"""Secret: confidential configuration. `stringData` is for writing only: it becomes part of `data` at once.

Sources of the facts: pkg/apis/core/v1/defaults.go and conversion.go, pkg/apis/core/validation/validation.go.
API page: core/v1 Secret.
"""

import base64

from pilothouse.api.core.config_map import MAX_SIZE, decoded_size, validate_immutable
from pilothouse.api.machinery.codec import json
from pilothouse.api.machinery.codec.syntax import MalformedError
from pilothouse.api.machinery.columns import AGE, count, dig, field_text, show
from pilothouse.api.machinery.field import FieldErrors, index
from pilothouse.api.machinery.meta import IMMUTABLE
from pilothouse.api.machinery.names import config_map_key
from pilothouse.api.machinery.resource import Column, Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Secret

SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - the name of a type
SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name"
"""The annotation that names the ServiceAccount of a token Secret."""
_JSON_KEYS = {
    "kubernetes.io/dockercfg": ".dockercfg",
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
}


def default(obj: JsonObject) -> None:
    """Opaque unless it says otherwise; texts are encoded, and win over data of the same key."""
    if texts := obj.pop("stringData", None):
        data = obj.get("data") or {}
        data.update({key: base64.b64encode((text or "").encode()).decode() for key, text in texts.items()})
        obj["data"] = data
    if not obj.get("type"):
        obj["type"] = "Opaque"


def validate(obj: JsonObject, errors: FieldErrors) -> None:
    """Keys do as file names, at most 1 MiB together, and known types have their keys."""
    data = obj.get("data") or {}
    for key in data:
        for wrong in config_map_key(key):
            errors.invalid(index("data", key), key, wrong)
    if sum(decoded_size(value or "") for value in data.values()) > MAX_SIZE:
        errors.too_long("data", MAX_SIZE)
    _validate_type(obj, obj.get("type") or "", data, errors)


def _validate_type(obj: JsonObject, kind: str, data: JsonObject, errors: FieldErrors) -> None:
    if kind == SERVICE_ACCOUNT_TOKEN:
        if not (dig(obj, "metadata", "annotations") or {}).get(SERVICE_ACCOUNT_NAME):
            errors.required(index("metadata.annotations", SERVICE_ACCOUNT_NAME))
    elif kind in _JSON_KEYS:
        _validate_json(data, _JSON_KEYS[kind], errors)
    elif kind == "kubernetes.io/basic-auth":
        if "username" not in data and "password" not in data:
            errors.required("data[username]")
            errors.required("data[password]")
    elif kind == "kubernetes.io/ssh-auth":
        if not data.get("ssh-privatekey"):
            errors.required("data[ssh-privatekey]")
    elif kind == "kubernetes.io/tls":
        for key in ("tls.crt", "tls.key"):
            if key not in data:
                errors.required(index("data", key))


def _validate_json(data: JsonObject, key: str, errors: FieldErrors) -> None:
    if key not in data:
        errors.required(index("data", key))
        return
    content = base64.b64decode(data[key] or "")
    try:
        found = json.decode(content)
    except MalformedError as error:
        errors.invalid(index("data", key), "<secret contents redacted>", str(error))
        return
    if found is not None and not isinstance(found, dict):
        what = {str: "string", bool: "bool", list: "array"}.get(type(found), "number")
        why = f"json: cannot unmarshal {what} into Go value of type map[string]interface {{}}"
        errors.invalid(index("data", key), "<secret contents redacted>", why)


def validate_update(obj: JsonObject, old: JsonObject, errors: FieldErrors) -> None:
    """The type never changes; nothing does once it is immutable."""
    kind = obj.get("type") or ""
    if kind != (old.get("type") or ""):
        errors.invalid("type", kind, IMMUTABLE)
    validate_immutable(obj, old, ("data",), errors)


RESOURCE = Resource(
    kind=Secret,
    group="",
    version="v1",
    plural="secrets",
    singular="secret",
    generation=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    columns=(Column("Type", show("type")), Column("Data", count("data")), AGE),
    selectable_fields={"type": field_text("type")},
)
