"""Ownership: which objects a controller has, which it takes and which it lets go.

An object has at most one controlling owner. A controller adopts what its selector matches and nobody controls, and
releases what it controls and no longer matches. Before the first adoption it asks the API server, not its copy,
whether it is being deleted itself: dependents of a deleted owner are the garbage collector's. Upstream:
pkg/controller/controller_ref_manager.go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pilothouse.api.machinery.errors import Invalid, NotFound
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.selectors import LabelSelector, from_label_selector, from_labels
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.meta_v1 import OwnerReference
from pilothouse.client.client import Client, PatchForm
from pilothouse.client.informer import Lister

V = TypeVar("V", bound=View)
_NOBODY = OwnerReference()


class Selects(Protocol):
    """A selector."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels satisfy it."""
        ...


@dataclass(frozen=True, slots=True)
class Claims(Generic[V]):
    """What is to be done about each candidate that concerns the owner."""

    mine: tuple[V, ...]
    adopt: tuple[V, ...] = ()
    release: tuple[V, ...] = ()


def selector_of(owner: View) -> LabelSelector:
    """What an owner selects by: a label selector, or the map of labels that the oldest kinds have."""
    selector: Any = owner.spec.selector
    return from_labels(selector) if isinstance(selector, Mapping) else from_label_selector(selector)


def controller_of(view: View) -> OwnerReference:
    """The reference to the controlling owner; a view that is false where there is none."""
    references: Sequence[OwnerReference] = view.metadata.ownerReferences
    for reference in references:  # asked a dozen times for every pod that changes: no generator
        if reference.controller:
            return reference
    return _NOBODY


def is_controlled_by(view: View, owner: View) -> bool:
    """Whether `owner` is the controlling owner."""
    controller = controller_of(view)
    return bool(controller.uid) and controller.uid == str(owner.metadata.uid)


def controller_reference(owner: View, resource: Resource[Any]) -> JsonObject:
    """The reference that says `owner` controls."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.name,
        "name": owner.metadata.name,
        "uid": owner.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def plan_claims(owner: View, selector: Selects, candidates: Sequence[V]) -> Claims[V]:
    """Decide about each candidate, which is in the namespace of the owner."""
    mine: list[V] = []
    adopt: list[V] = []
    release: list[V] = []
    going = owner.metadata.deletionTimestamp is not None
    for candidate in candidates:
        meta = candidate.metadata
        controller = controller_of(candidate)
        matches = selector.matches(meta.labels)
        if controller:
            if controller.uid != owner.metadata.uid:
                continue
            if matches:
                mine.append(candidate)
            elif not going:
                release.append(candidate)
        elif matches and not going and meta.deletionTimestamp is None:
            adopt.append(candidate)
    return Claims(tuple(mine), tuple(adopt), tuple(release))


async def claim(client: Client, kind: type[V], owner: View, selector: Selects, candidates: Sequence[V]) -> list[V]:
    """Adopt and release as planned; returns what the owner controls then, in the order of the candidates."""
    claims = plan_claims(owner, selector, candidates)
    for released in claims.release:
        await _release(client, kind, owner, released)
    adopted: list[V] = []
    if claims.adopt and await _may_adopt(client, owner):
        for orphan in claims.adopt:
            found = await _adopt(client, kind, owner, orphan)
            if found is not None:
                adopted.append(found)
    return [*claims.mine, *adopted]


async def _may_adopt(client: Client, owner: View) -> bool:
    try:
        fresh = await client.get(type(owner), owner.metadata.name, owner.metadata.namespace)
    except NotFound:
        return False
    return bool(fresh.metadata.uid == owner.metadata.uid and fresh.metadata.deletionTimestamp is None)


async def _adopt(client: Client, kind: type[V], owner: View, orphan: V) -> V | None:
    reference = controller_reference(owner, client.resource(type(owner)))
    return await _change(client, kind, orphan, reference)


async def _release(client: Client, kind: type[V], owner: View, released: V) -> None:
    try:
        await _change(client, kind, released, {"$patch": "delete", "uid": owner.metadata.uid})
    except Invalid:
        return  # it has no such owner any more, or is another object of that name


async def _change(client: Client, kind: type[V], view: V, reference: JsonObject) -> V | None:
    """Merge one owner reference, by its uid, into this very object; None when it is gone."""
    meta = view.metadata
    patch = {"metadata": {"ownerReferences": [reference], "uid": meta.uid}}
    try:
        return await client.patch(kind, meta.name, meta.namespace, patch, form=PatchForm.STRATEGIC)
    except NotFound:
        return None


CONTROLLER = "controller"
"""The index of objects by the uid of their controller."""


def index_by_controller(view: View) -> tuple[str]:
    """For the index `CONTROLLER`: the uid of its controller, else its namespace as that of an orphan."""
    controller = controller_of(view)
    return (controller.uid if controller else f"orphan in {view.metadata.namespace}",)


def candidates(lister: Lister[V], owner: View) -> list[V]:
    """What an owner may have or take: what it controls, and the orphans of its namespace."""
    meta = owner.metadata
    return lister.by_index(CONTROLLER, meta.uid) + lister.by_index(CONTROLLER, f"orphan in {meta.namespace}")
