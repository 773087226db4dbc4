"""What kubectl's client-side apply left behind, when `kubectl apply --server-side` comes to the same object.

The annotation tells what was applied then. Fields that still are as it says are kubectl's own under another name, so
conflicts about them are none; and the annotation is kept up, so that the way back stays open. Another manager's name
opts out of both. Source: apimachinery/pkg/util/managedfields (lastappliedmanager, lastappliedupdater), KEP-555.
"""

from typing import Any

import orjson

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.managed_fields.apply import Application, Applied, apply
from pilothouse.api.machinery.managed_fields.configuration import claims
from pilothouse.api.machinery.managed_fields.conflicts import ApplyConflict
from pilothouse.api.machinery.managed_fields.fields import Fields, difference
from pilothouse.api.machinery.managed_fields.walk import compare
from pilothouse.api.machinery.view import JsonObject

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
_MOST_ANNOTATIONS = 256 * 1024
"""Bytes of all annotations of an object."""


def apply_for_kubectl(live: JsonObject, configuration: JsonObject, asked: Application) -> Applied:
    """Like `apply`, but what kubectl applied on the client's side is its own."""
    try:
        found = apply(live, configuration, asked)
    except ApplyConflict as conflict:
        left = conflict.beyond(_own(live, asked))
        if left is not None:
            raise left from None
        found = apply(live, configuration, asked.forced())
    annotations = (found.object.get("metadata") or {}).get("annotations") or {}
    if annotations.get(ANNOTATION):
        metadata = {**found.object["metadata"], "annotations": _kept_up(annotations, configuration)}
        return Applied({**found.object, "metadata": metadata}, found.entries)
    return found


def _own(live: JsonObject, asked: Application) -> Fields:
    """The fields that are still as the annotation says; none where it cannot be read."""
    try:
        last = orjson.loads(((live.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION) or "")
        if last.get("apiVersion") != asked.api_version:
            return {}
        claimed, errors = claims(asked.schema, last)
        if errors:
            return {}
        changes = compare(asked.schema, last, live)
    except (ValueError, AttributeError, TypeError, StatusError):
        return {}
    return difference(difference(claimed, changes.changed), changes.removed)


def _kept_up(annotations: dict[str, Any], configuration: JsonObject) -> dict[str, Any]:
    """The annotations with what is applied now; without it where that is too much."""
    told = dict(configuration)
    metadata = dict(told.get("metadata") or {})
    if metadata.get("annotations"):
        metadata["annotations"] = {key: text for key, text in metadata["annotations"].items() if key != ANNOTATION}
        told["metadata"] = metadata
    text = orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE).decode()
    kept = {**annotations, ANNOTATION: text}
    if sum(len(key.encode()) + len(str(value).encode()) for key, value in kept.items()) > _MOST_ANNOTATIONS:
        del kept[ANNOTATION]
    return kept
