"""Objects of any kind at the API server, by identity: read, deleted, rid of references and finalizers.

Only metadata travels. Every write names the uid it means, so that a namesake is never touched. Upstream:
pkg/controller/garbagecollector/{operations,patch}.go.
"""

from collections.abc import Sequence

from pilothouse.api.machinery.errors import Conflict, NotFound, UnsupportedMediaType
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.client.client import Client, PatchForm
from pilothouse.client.discovery import Discovery, PartialObjectMetadata
from pilothouse.client.retry import retry_on_conflict
from pilothouse.controllers.garbage_collector.graph import Identity
from pilothouse.runtime.clock import Clock


class UnknownKindError(Exception):
    """Discovery names no such kind: not yet, or never."""


class NamespaceMissingError(Exception):
    """The kind stands in namespaces, and what refers to it stands in none."""


class Objects:
    """What the garbage collector asks of the API server."""

    def __init__(self, client: Client, discovery: Discovery, clock: Clock) -> None:
        self._client = client.metadata_only()
        self._discovery = discovery
        self._clock = clock

    def resource(self, api_version: str, kind: str) -> Resource[PartialObjectMetadata]:
        """Where objects of a kind are. Raises UnknownKindError."""
        found = self._discovery.by_kind(api_version, kind)
        if found is None:
            raise UnknownKindError(f"unable to get REST mapping for {api_version}/{kind}.")
        return found.resource

    async def get(self, identity: Identity) -> PartialObjectMetadata | None:
        """The object; None where there is none, or one of that name that is another."""
        resource, namespace = self._place(identity)
        try:
            found = await self._client.get(resource, identity.name, namespace)
        except NotFound:
            return None
        return found if found.metadata.uid == identity.uid else None

    async def delete(self, identity: Identity, seen: PartialObjectMetadata, propagation: str) -> None:
        """Delete it, unless its owners are no longer those that were `seen`. Raises NotFound, Conflict."""
        resource, namespace = self._place(identity)
        revision = seen.metadata.resourceVersion
        delete = self._client.delete
        try:
            await delete(
                resource, identity.name, namespace,
                uid=identity.uid, resource_version=revision, propagation=propagation,
            )  # fmt: skip
        except Conflict:
            now = await self.get(identity)
            if now is None:
                return
            if now.metadata.resourceVersion == revision or _references(now) != _references(seen):
                raise
            await delete(resource, identity.name, namespace, uid=identity.uid, propagation=propagation)

    async def drop_owners(self, identity: Identity, owners: Sequence[str]) -> None:
        """Take the references to these owners, by uid, out of an object. Raises NotFound, Conflict."""
        entries: list[JsonObject] = [{"$patch": "delete", "uid": uid} for uid in owners]
        await self._patch_references(identity, entries)

    async def unblock_owners(self, identity: Identity, owners: Sequence[str]) -> None:
        """Let the deletion of these owners, by uid, not wait for this object. Raises NotFound, Conflict."""
        entries: list[JsonObject] = [{"uid": uid, "blockOwnerDeletion": False} for uid in owners]
        await self._patch_references(identity, entries)

    async def remove_finalizer(self, identity: Identity, name: str) -> None:
        """Take a finalizer off an object, which may be gone then."""
        resource, namespace = self._place(identity)

        async def attempt() -> None:
            found = await self.get(identity)
            if found is None or name not in found.metadata.finalizers:
                return
            kept = [other for other in found.metadata.finalizers if other != name]
            meta = {"resourceVersion": found.metadata.resourceVersion, "finalizers": kept}
            try:
                await self._client.patch(resource, identity.name, namespace, {"metadata": meta})
            except NotFound:
                return

        await retry_on_conflict(self._clock, attempt)

    def _place(self, identity: Identity) -> tuple[Resource[PartialObjectMetadata], str]:
        """The resource and the namespace in its paths. Raises UnknownKindError, NamespaceMissingError."""
        resource = self.resource(identity.api_version, identity.kind)
        if not resource.namespaced:
            return resource, ""
        if not identity.namespace:
            raise NamespaceMissingError("cluster-scoped objects cannot refer to namespaced owners")
        return resource, identity.namespace

    async def _patch_references(self, identity: Identity, entries: Sequence[JsonObject]) -> None:
        """Merge into the owner references by uid, where the kind allows it; else replace them all."""
        resource, namespace = self._place(identity)
        meta: JsonObject = {"uid": identity.uid, "ownerReferences": entries}
        strategic = PatchForm.STRATEGIC
        try:
            await self._client.patch(resource, identity.name, namespace, {"metadata": meta}, form=strategic)
        except UnsupportedMediaType:
            found = await self.get(identity)
            if found is None:
                return
            meta = {
                "uid": identity.uid,
                "resourceVersion": found.metadata.resourceVersion,
                "ownerReferences": merge_references(_references(found), entries),
            }
            await self._client.patch(resource, identity.name, namespace, {"metadata": meta})


def merge_references(references: Sequence[JsonObject], entries: Sequence[JsonObject]) -> list[JsonObject]:
    """What a strategic merge would make of owner references, for kinds that know no such thing."""
    changes = {entry["uid"]: entry for entry in entries}
    merged = [{**reference, **changes.get(reference["uid"], {})} for reference in references]
    return [reference for reference in merged if "$patch" not in reference]


def _references(view: PartialObjectMetadata) -> list[JsonObject]:
    return [dict(reference.raw) for reference in view.metadata.ownerReferences]
