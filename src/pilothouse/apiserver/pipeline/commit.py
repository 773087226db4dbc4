"""Stages: encode, commit. The object becomes the bytes that are stored, cached and sent; then the store has it.

What is encrypted is so in the store's own hands (`encryption.store`).
"""

from dataclasses import dataclass

import orjson

from pilothouse.api.machinery import errors
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.encryption.store import KnowsStale
from pilothouse.apiserver.pipeline.write import Write
from pilothouse.apiserver.registry import record
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.resource_cache import ResourceCache
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.runtime.log import Log
from pilothouse.store.interface import Conflict, KeyExists, Record

_log = Log(__name__)


EVENT_TTL = 3600.0
"""How long an event stays after it was last written, unless told otherwise."""
_EVENTS = "core/events/"


@dataclass(frozen=True, slots=True)
class Written:
    """What a write came to: the entry as clients get it."""

    entry: Entry
    changed: bool = True


class Committer:
    """Writes to the store, and waits until the watch cache shows it: who has an answer can read what it says.

    All may raise the store's Unavailable.
    """

    def __init__(self, cache: WatchCache, event_ttl: float) -> None:
        self._cache = cache
        self._event_ttl = event_ttl or None
        self._stale = cache.store if isinstance(cache.store, KnowsStale) else None

    async def create(self, write: Write, of: ResourceCache, shown: JsonObject) -> Written:
        """Store a new object, given in the version that is stored. Raises AlreadyExists."""
        form = record.stored_form(of.resource, shown)
        value = orjson.dumps(form)
        key = record.storage_key(of.resource, write.namespace, write.name)
        if write.dry_run:
            if of.entries.get(key) is not None:
                raise errors.already_exists(write.resource.plural, write.resource.group, write.name)
            return Written(of.unstored(Record(key, value, 0, 0), form))
        with self._cache.expecting(key, value, form):
            try:
                stored = await (write.turn or self._cache.store).create(key, value, ttl=self._ttl(of))
            except KeyExists:
                raise errors.already_exists(write.resource.plural, write.resource.group, write.name) from None
            return await self._seen(of, stored, form)

    async def update(self, write: Write, of: ResourceCache, current: Entry, shown: JsonObject) -> Written:
        """Store the new form of `current`; nothing when it is the same. Raises store.Conflict when it has changed."""
        form = record.stored_form(of.resource, shown)
        value = orjson.dumps(form)
        same = value == current.stored or (len(value) == len(current.stored) and write.new == write.old)
        if same and (self._stale is None or not self._stale.is_stale(current.key)):
            return Written(current, changed=False)  # the same, if perhaps in another order
        if write.dry_run:
            return Written(of.unstored(Record(current.key, value, current.revision, 0), form))
        with self._cache.expecting(current.key, value, form):
            try:
                stored = await (write.turn or self._cache.store).update(
                    current.key, value, expected=current.revision, ttl=self._ttl(of)
                )
            except Conflict as conflict:
                await self._catch_up(conflict)
                raise
            return await self._seen(of, stored, form)

    async def delete(self, write: Write, current: Entry) -> Entry:
        """Remove `current`. Raises store.Conflict when it has changed."""
        if write.dry_run:
            return current
        try:
            revision = await self._cache.store.delete(current.key, expected=current.revision)
        except Conflict as conflict:
            await self._catch_up(conflict)
            raise
        await self._shown(revision)
        return current.at(revision)

    def _ttl(self, of: ResourceCache) -> float | None:
        """How long what is written stays; for ever where it is None."""
        return self._event_ttl if of.prefix == _EVENTS else None

    async def _seen(self, of: ResourceCache, stored: Record, form: JsonObject) -> Written:
        await self._shown(stored.revision)
        entry = of.entries.get(stored.key)
        if entry is None or entry.revision != stored.revision:  # written again meanwhile
            entry = of.unstored(stored, form)
        return Written(entry)

    async def _shown(self, revision: int) -> None:
        """Wait for the cache. Should it not come, the write has happened all the same, and that is what to answer."""
        try:
            await self._cache.reach(revision)
        except errors.Timeout as late:
            _log.warning("A write was stored, and the watch cache does not show it", error=late.message)

    async def _catch_up(self, conflict: Conflict) -> None:
        if conflict.current is not None:
            await self._cache.reach(conflict.current.revision)
        else:
            await self._cache.reach_latest()
