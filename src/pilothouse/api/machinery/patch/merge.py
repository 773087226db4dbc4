"""JSON merge patch (RFC 7386): an object laid over another, in which null takes away.

Lists are replaced whole. As upstream's library does, nulls are also taken out of what is added, lists included: a null
field means an unset one to the API. What the patch does not mention is shared with the document.
"""

from collections.abc import Mapping
from typing import Any

from pilothouse.api.machinery.errors import BadRequest
from pilothouse.api.machinery.view import JsonObject


def apply_merge_patch(doc: JsonObject, patch: Any) -> JsonObject:
    """The document with the patch laid over it. Raises BadRequest for a patch that is no object."""
    if not isinstance(patch, dict):
        raise BadRequest(
            f"error decoding patch: json: cannot unmarshal {_described(patch)} into Go value of type "
            "map[string]interface {}"
        )
    return _merged(doc, patch)


def _merged(doc: JsonObject, patch: JsonObject) -> JsonObject:
    result = doc.copy()
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(before := result.get(key), dict):
            result[key] = _merged(before, value)
        else:
            result[key] = without_nulls(value)
    return result


def merge_patch_between(old: Mapping[str, Any], new: JsonObject) -> JsonObject:
    """The patch that makes `old` into `new`, where a null is as good as no field; empty for no difference."""
    patch: JsonObject = {name: None for name, value in old.items() if value is not None and name not in new}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            if inner := merge_patch_between(before, value):
                patch[name] = inner
        elif before != value:
            patch[name] = value
    return patch


def without_nulls(value: Any) -> Any:
    """The value without null fields at any depth; null items of lists stay."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


def _described(value: Any) -> str:
    for kind, name in ((bool, "bool"), (str, "string"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "null" if value is None else "number"
