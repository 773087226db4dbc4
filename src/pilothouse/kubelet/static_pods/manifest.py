"""What a manifest says, made into the pod that the node runs. Pure.

The uid is a hash of the manifest and of where it was found: the same pod after a restart of the kubelet, another one
after any change. The name has the node's behind it, as all nodes may have the same manifest.
Source: pkg/kubelet/config/common.go.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from pilothouse.api.core.pod import RESOURCE
from pilothouse.api.core.pod.references import api_reference
from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.field import FieldErrors
from pilothouse.api.machinery.meta import validate_object_meta
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.static_pods.config import FILE
from pilothouse.runtime.clock import Instant, format_time

if TYPE_CHECKING:
    from pilothouse.api.machinery.schema import Schemas

HASH = "kubernetes.io/config.hash"
SOURCE = "kubernetes.io/config.source"
SEEN = "kubernetes.io/config.seen"


class ManifestError(Exception):
    """It is no manifest of a pod, or of one that cannot be static."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a manifest was found."""

    source: str
    place: str
    """The file's path, or the URL."""
    node_name: str


def read_pod(data: bytes, origin: Origin) -> Pod:
    """The one pod that a manifest describes. Raises ManifestError."""
    return _pod(_decode(data), origin)


def read_pods(data: bytes, origin: Origin) -> list[Pod]:
    """The pod, or the pods of a PodList. Raises ManifestError when one of them is wrong."""
    value = _decode(data)
    if value.get("kind") != "PodList":
        return [_pod(value, origin)]
    items = value.get("items") or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ManifestError("invalid pods list")
    return [_pod({**item, "apiVersion": "v1", "kind": "Pod"}, origin) for item in items]


def stamped(pod: Pod, now: Instant) -> Pod:
    """The pod with a note of when it was seen."""
    meta = pod.metadata.raw
    annotations = {**meta["annotations"], SEEN: format_time(now)}
    return Pod({**pod.raw, "metadata": {**meta, "annotations": annotations}})


def _decode(data: bytes) -> JsonObject:
    from pilothouse.api.machinery.codec import yaml  # where there are no static pods, nobody pays for it
    from pilothouse.api.machinery.codec.syntax import MalformedError

    try:
        value, _ = yaml.decode(data)
    except MalformedError as error:
        raise ManifestError(str(error)) from None
    if not isinstance(value, dict):
        raise ManifestError("not an object")
    for field in ("kind", "apiVersion"):
        if not value.get(field):
            raise ManifestError(f"Object '{field[0].upper()}{field[1:]}' is missing")
    return value


def _pod(value: JsonObject, origin: Origin) -> Pod:
    digest = hashlib.blake2b(_json(value), digest_size=16)
    where = f"host:{origin.node_name}file:" if origin.source == FILE else "url:"
    digest.update(f"{where}{origin.place}".encode())
    raw = _typed(value)
    meta, spec = raw["metadata"], raw["spec"] = raw.get("metadata") or {}, raw.get("spec") or {}
    if not meta.get("name"):
        raise ManifestError("invalid pod: name is needed for the pod")
    RESOURCE.default(raw)
    meta["uid"] = uid = meta.get("uid") or digest.hexdigest()
    meta["name"] = f"{meta['name']}-{origin.node_name.lower()}"
    meta["namespace"] = meta.get("namespace") or "default"
    meta["annotations"] = {**(meta.get("annotations") or {}), HASH: uid, SOURCE: origin.source}
    spec["nodeName"] = origin.node_name
    if origin.source == FILE:
        spec["tolerations"] = _tolerant(spec.get("tolerations") or [])
    raw["status"] = {"phase": "Pending"}
    _check(raw)
    return Pod(raw)


def _typed(value: JsonObject) -> JsonObject:
    """The object with what the schema knows of it."""
    from pilothouse.api.machinery.codec import body

    expected = body.Expected("", "v1", "Pod")
    try:
        return body.read(_json(value), body.JSON, expected, _schemas(), body.FieldValidation.IGNORE).object
    except StatusError as error:
        raise ManifestError(error.message) from None


def _json(value: JsonObject) -> bytes:
    """With sorted keys. YAML knows numbers that JSON has no room for."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise ManifestError(f"json: {error}") from None


@cache
def _schemas() -> "Schemas":
    from pilothouse.api.machinery.schema import Schemas

    return Schemas()


def _tolerant(tolerations: list[Any]) -> list[Any]:
    """Trouble of the node does not drive it away."""
    ours = {"operator": "Exists", "effect": "NoExecute"}

    def same(one: JsonObject) -> bool:
        return {name: value for name, value in one.items() if value and name != "tolerationSeconds"} == ours

    return [ours if same(one) else one for one in tolerations] + [ours] * (not any(map(same, tolerations)))


def _check(raw: JsonObject) -> None:
    wrong = FieldErrors()
    validate_object_meta(raw["metadata"], namespaced=True, validate_name=RESOURCE.validate_name, errors=wrong)
    RESOURCE.validate(raw, wrong)
    RESOURCE.validate_create(raw, wrong)
    if wrong:
        raise ManifestError(f"invalid pod: [{', '.join(str(one) for one in wrong)}]")
    if needed := api_reference(raw["spec"]):
        raise ManifestError(f"static pods may not reference {needed}")
