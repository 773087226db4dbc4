"""Pods and their claims: a node makes mirrors of its static pods, reports and ends the pods bound to it."""

from pilothouse.api.core.pod.references import api_reference
from pilothouse.api.machinery import errors
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.pipeline.write import Operation, Write
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.watch_cache import WatchCache

MIRROR = "kubernetes.io/config.mirror"
_REPORTED = ("capacity", "conditions", "allocatedResourceStatuses", "allocatedResources")
"""What a node reports of a claim that grows."""
_NOT_COMPARED = ("resourceVersion", "managedFields")


def refuse_pod(node: str, write: Write, cache: WatchCache) -> str:
    """Why the node may not write the pod itself. Raises NotFound without its Node."""
    if write.operation is Operation.CREATE and write.new is not None:
        return refuse_mirror(node, write.new, cache)
    if write.operation is Operation.DELETE and write.old is not None:
        if _bound(write.old, node):
            return ""
        return f'node "{node}" can only delete pods with spec.nodeName set to itself'
    return f'unexpected operation "{write.operation}", node "{node}" can only create and delete mirror pods'


def refuse_mirror(node: str, pod: JsonObject, cache: WatchCache) -> str:
    """Why this is no mirror of one of the node's static pods. Raises NotFound without its Node."""
    quoted = f'node "{node}"'
    if MIRROR not in (pod["metadata"].get("annotations") or {}):
        return f'pod does not have "{MIRROR}" annotation, {quoted} can only create mirror pods'
    if not _bound(pod, node):
        return f"{quoted} can only create pods with spec.nodeName set to itself"
    if why := _refuse_owners(node, pod["metadata"].get("ownerReferences") or [], cache):
        return why
    if needed := api_reference(pod["spec"]):
        return f"{quoted} can not create pods that reference {needed}"
    return ""


def _refuse_owners(node: str, owners: list[JsonObject], cache: WatchCache) -> str:
    quoted = f'node "{node}"'
    if len(owners) > 1:
        return f"{quoted} can only create pods with a single owner reference set to itself"
    owner = owners[0] if owners else {}
    if (owner.get("apiVersion"), owner.get("kind"), owner.get("name")) != ("v1", "Node", node):
        return f"{quoted} can only create pods with an owner reference set to itself"
    if not owner.get("controller"):
        return f"{quoted} can only create pods with a controller owner reference set to itself"
    if owner.get("blockOwnerDeletion"):
        return f"{quoted} must not set blockOwnerDeletion on an owner reference"
    found = cache.of("", "nodes").get("", node)
    if found is None:
        raise errors.not_found("nodes", "", node)
    uid, named = found.decode()["metadata"]["uid"], owner.get("uid") or ""
    return "" if uid == named else f"node {node} UID mismatch: expected {named} got {uid}"


def refuse_pod_status(node: str, write: Write) -> str:
    """Why the node may not report this status."""
    if write.operation is not Operation.UPDATE or write.old is None or write.new is None:
        return f'unexpected operation "{write.operation}"'
    quoted, old, new = f'node "{node}"', write.old, write.new
    if not _bound(old, node):
        return f"{quoted} can only update pod status for pods with spec.nodeName set to itself"  # noqa: S608
    if (old["metadata"].get("labels") or {}) != (new["metadata"].get("labels") or {}):
        return f"{quoted} cannot update labels through pod status"
    before, after = old.get("status") or {}, new.get("status") or {}
    if _claims(before) != _claims(after):
        return f"{quoted} cannot update resource claim statues"
    field = "extendedResourceClaimStatus"
    if not same(before.get(field), after.get(field)):
        return f"{quoted} cannot update extended resource claim status"
    return ""


def _claims(status: JsonObject) -> list[tuple[str | None, str | None]]:
    return [(one.get("name"), one.get("resourceClaimName")) for one in status.get("resourceClaimStatuses") or ()]


def refuse_eviction(node: str, write: Write, cache: WatchCache) -> str:
    """Why the node may not evict the pod. Raises NotFound."""
    if write.operation is not Operation.CREATE or write.new is None:
        return f"unexpected operation {write.operation}"
    name = write.name or write.new["metadata"].get("name") or ""
    if not name:
        return "could not determine pod from request data"
    if not runs_on(existing(cache, write.namespace, name), node):
        return f"node {node} can only evict pods with spec.nodeName set to itself"
    return ""


def refuse_claim_status(node: str, write: Write) -> str:
    """Why the node may not report this of a claim."""
    if write.operation is not Operation.UPDATE or write.old is None or write.new is None:
        return f'unexpected operation "{write.operation}"'
    old, new = _fixed(write.old), _fixed(write.new)
    different = sorted(field for field in {**old, **new} if not same(old.get(field), new.get(field)))
    if not different:
        return ""
    allowed = "status.capacity and status.conditions"
    return f'node "{node}" is not allowed to update fields other than {allowed}: {", ".join(different)}'


def _fixed(claim: JsonObject) -> dict[str, object]:
    """What a node may not change, by the path of the field."""
    found: dict[str, object] = {
        f"metadata.{field}": value for field, value in claim["metadata"].items() if field not in _NOT_COMPARED
    }
    status = claim.get("status") or {}
    found |= {f"status.{field}": value for field, value in status.items() if field not in _REPORTED}
    return found | {field: value for field, value in claim.items() if field not in ("metadata", "status")}


def existing(cache: WatchCache, namespace: str, name: str) -> Entry:
    """The pod. Raises NotFound."""
    entry = cache.of("", "pods").get(namespace, name)
    if entry is None:
        raise errors.not_found("pods", "", name)
    return entry


def runs_on(pod: Entry, node: str) -> bool:
    """Whether the pod is bound to the node."""
    return pod.fields["spec.nodeName"] == node


def same(one: object, other: object) -> bool:
    """Whether two values are the same to upstream: nothing and something empty are."""
    return _full(one) == _full(other)


def _full(value: object) -> object:
    if isinstance(value, dict):
        return {name: kept for name, part in value.items() if (kept := _full(part)) is not None} or None
    if isinstance(value, list):
        return [_full(part) for part in value] or None
    return value


def _bound(pod: JsonObject, node: str) -> bool:
    return (pod.get("spec") or {}).get("nodeName") == node
