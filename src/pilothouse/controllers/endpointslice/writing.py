"""Writing: carries out a plan for the slices of one owner, and tells others' changes of slices from our own.

Upstream: finalize in staging/src/k8s.io/endpointslice/reconciler.go, and the handlers of slices in
pkg/controller/endpointslice.
"""

from collections.abc import Callable, Iterable

from pilothouse.api.machinery.errors import Conflict, NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.discovery_v1 import EndpointSlice
from pilothouse.client.client import Client
from pilothouse.client.key import Key
from pilothouse.controllers.endpointslice.packing import MANAGED_BY, SERVICE_NAME, TRIGGER_TIME, Changes
from pilothouse.controllers.endpointslice.tracker import SliceTracker
from pilothouse.reconcile.pod_control import is_namespace_terminating
from pilothouse.runtime.clock import Instant, format_time


def owner_of(piece: EndpointSlice, manager: str) -> Key | None:
    """The owner of a slice, where `manager` manages it."""
    labels = piece.metadata.labels
    name = labels.get(SERVICE_NAME, "")
    if not name or labels.get(MANAGED_BY) != manager:
        return None
    return Key(piece.metadata.namespace, name)


def by_owner(manager: str) -> Callable[[EndpointSlice], Iterable[str]]:
    """The function of an index of slices by the owner for which `manager` manages them."""

    def owners(piece: EndpointSlice) -> Iterable[str]:
        key = owner_of(piece, manager)
        return (str(key),) if key is not None else ()

    return owners


class SliceWriter:
    """Writes the slices that `manager` manages, and remembers what it wrote. Their owners are of `kind`."""

    def __init__(self, client: Client, manager: str, kind: str) -> None:
        self._client = client
        self._manager = manager
        self._kind = kind
        self._waiting: dict[Key, None] = {}
        """Owners whose slices we have not seen as we wrote them."""
        self.tracker = SliceTracker()

    def must_wait(self, owner: Key, uid: str, pieces: Iterable[EndpointSlice]) -> bool:
        """Whether the slices that our copy shows are older than those we wrote. Then `awaited` will tell of them."""
        stale = self.tracker.is_stale(owner, uid, pieces)
        if stale:
            self._waiting[owner] = None
        else:
            self._waiting.pop(owner, None)
        return stale

    def forget(self, owner: Key) -> None:
        """The owner is gone."""
        self.tracker.forget(owner)
        self._waiting.pop(owner, None)

    async def carry_out(self, owner: Key, changes: Changes, since: Instant | None) -> str:
        """Create, update, delete, up to the first failure. Returns what that was; empty when all went well.

        `since` is when that became true which is published now.
        """
        where = f"EndpointSlice for {self._kind} {owner}"
        doing = ""
        try:
            for manifest in changes.create:
                doing = f"failed to create {where}"
                self.tracker.wrote(owner, await self._client.create(EndpointSlice, _stamped(manifest, since)))
            for manifest in changes.update:
                doing = f"failed to update {manifest['metadata']['name']} {where}"
                self.tracker.wrote(owner, await self._client.update(EndpointSlice, _stamped(manifest, since)))
            for piece in changes.delete:
                doing = f"failed to delete {piece.metadata.name} {where}"
                await self.delete(owner, piece)
        except StatusError as error:
            return "" if is_namespace_terminating(error) else f"{doing}: {error}"
        except OSError as error:
            return f"{doing}: {error}"
        return ""

    async def delete(self, owner: Key, piece: EndpointSlice) -> None:
        """Delete this very slice, if it is there. Raises what the server answers."""
        meta = piece.metadata
        self.tracker.deleted(owner, piece)
        try:
            await self._client.delete(EndpointSlice, meta.name, meta.namespace, uid=meta.uid)
        except (StatusError, OSError) as error:
            self.tracker.gone(owner, piece)
            if not isinstance(error, NotFound | Conflict):
                raise

    def awaited(self, old: EndpointSlice | None, new: EndpointSlice | None) -> list[Key]:
        """The owners that waited for a slice to show."""
        owners = [owner_of(piece, self._manager) for piece in (old, new) if piece is not None]
        return [owner for owner in dict.fromkeys(owners) if owner in self._waiting]

    def surprised(self, old: EndpointSlice | None, new: EndpointSlice | None) -> list[Key]:
        """The owners to look at again because somebody else changed a slice of theirs."""
        before = owner_of(old, self._manager) if old is not None else None
        standing = new is not None and new.metadata.deletionTimestamp is None
        after = owner_of(new, self._manager) if new is not None and standing else None
        if old is not None and before is not None and before != after:
            expected = self.tracker.gone(before, old)
            return [key for key in (None if expected else before, after) if key is not None]
        return [after] if new is not None and after is not None and self.tracker.is_news(after, new) else []


def _stamped(manifest: JsonObject, since: Instant | None) -> JsonObject:
    """The slice with the time at which its content became true, if it is known."""
    meta = manifest["metadata"]
    if since is None:
        return manifest
    return {**manifest, "metadata": {**meta, "annotations": {**meta["annotations"], TRIGGER_TIME: format_time(since)}}}
