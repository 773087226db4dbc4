"""Packing: lays endpoints into slices so that as few slices as possible are written. Pure.

A slice keeps the endpoints it has; those that came fill slices that must be written anyway, then one that has room
for all of them, then new ones. Slices are never balanced or merged for tidiness: each write goes to every node.
Upstream: reconcileByPortMapping in staging/src/k8s.io/endpointslice/reconciler.go.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pilothouse.api.machinery.names import dns_subdomain
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.controllers.endpointslice.endpoint import Group, PortKey, identity, port_key

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"


@dataclass(frozen=True, slots=True)
class Mould:
    """What the slices of one owner have in common."""

    name: str
    namespace: str
    owner: JsonObject
    """The reference to the owner."""
    labels: dict[str, str]
    annotations: dict[str, str] | None = None
    """The annotations that they must have; None where those are nobody's business."""

    def owns(self, piece: EndpointSlice) -> bool:
        """Whether a slice is of this owner, and not of another that had its name."""
        return any(reference.uid == self.owner["uid"] for reference in piece.metadata.ownerReferences)

    def has_marked(self, piece: EndpointSlice) -> bool:
        """Whether a slice carries the labels and annotations that it should."""
        if piece.metadata.labels != self.labels:
            return False
        return self.annotations is None or _untimed(piece.metadata.annotations) == self.annotations

    def blank(self, family: str, ports: list[JsonObject]) -> JsonObject:
        """A new slice, as yet without endpoints."""
        prefix = f"{self.name}-"
        meta: JsonObject = {
            "generateName": self.name if dns_subdomain(f"{prefix}a") else prefix,
            "namespace": self.namespace,
            "labels": self.labels,
            "annotations": dict(self.annotations or {}),
            "ownerReferences": [self.owner],
        }
        return {"metadata": meta, "addressType": family, "endpoints": [], "ports": ports}

    def refilled(self, piece: EndpointSlice, endpoints: list[JsonObject]) -> JsonObject:
        """A slice with other endpoints, to replace what we know of it."""
        annotations = _untimed(piece.metadata.annotations) if self.annotations is None else dict(self.annotations)
        meta = {**piece.metadata.raw, "labels": self.labels, "annotations": annotations}
        return {**piece.raw, "metadata": meta, "endpoints": endpoints}


def _untimed(annotations: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in annotations.items() if name != TRIGGER_TIME}


@dataclass(slots=True)
class Changes:
    """What is to be written, in this order."""

    create: list[JsonObject] = field(default_factory=list)
    update: list[JsonObject] = field(default_factory=list)
    delete: list[EndpointSlice] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.delete)


@dataclass(slots=True)
class _Draft:
    """A slice that is there, and what it will hold."""

    piece: EndpointSlice
    endpoints: list[JsonObject]
    changed: bool = False


def plan_slices(
    mould: Mould,
    family: str,
    groups: Mapping[PortKey, Group],
    existing: Sequence[EndpointSlice],
    most: int,
    *,
    placeholder: bool = True,
) -> Changes:
    """From the slices that are there, all of one family, to those that are wanted.

    With `placeholder`, an owner without endpoints has one empty slice.
    """
    changes = Changes()
    by_ports: dict[PortKey, list[EndpointSlice]] = {}
    for piece in existing:
        if mould.owns(piece):
            by_ports.setdefault(port_key(piece.raw.get("ports") or []), []).append(piece)
        else:
            changes.delete.append(piece)
    for key, group in groups.items():
        _plan_group(mould, family, group, by_ports.pop(key, []), most, changes)
    for unwanted in by_ports.values():
        changes.delete += unwanted
    if placeholder and len(changes.delete) == len(existing) and not changes.create:
        if len(changes.delete) == 1 and _is_placeholder(mould, changes.delete[0]):
            changes.delete.clear()
        else:
            changes.create.append(mould.blank(family, []))
    _recycle(mould, changes)
    return changes


def _is_placeholder(mould: Mould, piece: EndpointSlice) -> bool:
    return mould.owns(piece) and mould.has_marked(piece) and not piece.endpoints and not piece.ports


def _plan_group(
    mould: Mould, family: str, group: Group, existing: Iterable[EndpointSlice], most: int, changes: Changes
) -> None:
    """The slices of one list of ports."""
    left = dict(group.endpoints)
    written: list[_Draft] = []
    unchanged: list[_Draft] = []
    for piece in existing:
        draft = _keep(piece, left)
        if draft.changed and not draft.endpoints:
            changes.delete.append(piece)
        elif draft.changed or not mould.has_marked(piece):
            written.append(draft)
        else:
            unchanged.append(draft)
    incoming = [*left.values()]
    for draft in sorted(written, key=lambda draft: -len(draft.endpoints)):
        incoming = _fill(draft.endpoints, incoming, most)
    while incoming:
        roomy = _tightest(unchanged, len(incoming), most)
        if roomy is not None:
            roomy.endpoints += incoming
            written.append(roomy)
            break
        fresh = mould.blank(family, group.ports)
        incoming = _fill(fresh["endpoints"], incoming, most)
        changes.create.append(fresh)
    changes.update += [mould.refilled(draft.piece, draft.endpoints) for draft in written]


def _keep(piece: EndpointSlice, left: dict[Any, JsonObject]) -> _Draft:
    """What stays in a slice, as it is now. It is taken from `left`."""
    draft = _Draft(piece, [])
    for known in piece.raw.get("endpoints") or ():
        wanted = left.pop(identity(known), None)
        if wanted is None:
            draft.changed = True
        else:
            draft.endpoints.append(wanted)
            draft.changed = draft.changed or not _same(known, wanted)
    return draft


def _same(known: JsonObject, wanted: JsonObject) -> bool:
    """Whether an endpoint says what it should. Which revision of its pod it names does not matter."""
    if known == wanted:
        return True
    target = {**(known.get("targetRef") or {})}
    target.pop("resourceVersion", None)
    return {**known, "targetRef": target} == {**wanted, "targetRef": wanted.get("targetRef") or {}}


def _fill(endpoints: list[JsonObject], incoming: list[JsonObject], most: int) -> list[JsonObject]:
    """Add what there is room for; returns the rest."""
    room = max(0, most - len(endpoints))
    endpoints += incoming[:room]
    return incoming[room:]


def _tightest(drafts: Iterable[_Draft], count: int, most: int) -> _Draft | None:
    """The fullest of those that have room for so many more."""
    roomy = [draft for draft in drafts if len(draft.endpoints) + count <= most]
    return max(roomy, key=lambda draft: len(draft.endpoints), default=None)


def _recycle(mould: Mould, changes: Changes) -> None:
    """Write what would be created over what would be deleted, where that is of the same owner."""
    kept = []
    for piece in changes.delete:
        if not changes.create or not mould.owns(piece):
            kept.append(piece)
            continue
        fresh = changes.create.pop()
        meta = {"name": piece.metadata.name, "resourceVersion": piece.metadata.resourceVersion}
        fresh["metadata"] = {**fresh["metadata"], **meta}
        changes.update.append(fresh)
    changes.delete = kept
