"""Records: an object as it is stored, and as it goes on the wire, without encoding it again.

The stored value is the object in its storage version without resourceVersion; kind, apiVersion and metadata come first,
so the place where the revision belongs is the same for every object of a resource. Wire form = head + revision + tail.
"""

from typing import Any

from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject


def head_of(resource: Resource[Any]) -> bytes:
    """The bytes every stored object of this resource begins with."""
    return f'{{"kind":"{resource.name}","apiVersion":"{resource.api_version}","metadata":{{'.encode()


def stored_form(resource: Resource[Any], obj: JsonObject) -> JsonObject:
    """The object whose bytes are stored. `obj` may carry a resourceVersion; it is left out."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    rest = {key: value for key, value in obj.items() if key not in ("kind", "apiVersion", "metadata")}
    return {"kind": resource.name, "apiVersion": resource.api_version, "metadata": metadata} | rest


def wire(head: bytes, stored: bytes, revision: int) -> bytes:
    """The object with its resourceVersion, spliced in."""
    return b'%b"resourceVersion":"%d",%b' % (head, revision, stored[len(head) :])


def storage_key(resource: Resource[Any], namespace: str, name: str) -> str:
    """`core/pods/default/web-1`; for a cluster-scoped kind `core/nodes/node-1`."""
    prefix = storage_prefix(resource)
    return f"{prefix}{namespace}/{name}" if resource.namespaced else f"{prefix}{name}"


def storage_prefix(resource: Resource[Any]) -> str:
    """`core/pods/`."""
    return f"{resource.group or 'core'}/{resource.plural}/"
