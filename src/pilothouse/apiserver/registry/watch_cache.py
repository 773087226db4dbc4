"""The watch cache: all resources, fed by one watch over the whole store.

Because the watch has no gaps and covers everything, the revision of its latest event says how fresh every resource is.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import orjson

from pilothouse.api.machinery.errors import Timeout
from pilothouse.api.machinery.resource import Resource
from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.encryption.store import Undecipherable
from pilothouse.apiserver.registry.resource_cache import ResourceCache
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.deadlines import Deadlines
from pilothouse.runtime.log import Log
from pilothouse.store.interface import Compacted, Event, Record, Store, Unavailable

_FRESHNESS_SECONDS = 3.0
"""How long a read waits for the cache to reach the revision it asks for, as upstream's does."""
_RETRY_SECONDS = 1.0
_NOTHING: tuple[bytes, JsonObject] = (b"", {})

_log = Log(__name__)


class WatchCache:
    """Resource caches by (group, plural), and the revision they have all reached."""

    def __init__(self, store: Store, resources: Iterable[Resource[Any]], clock: Clock) -> None:
        self.store = store
        self._clock = clock
        self._deadlines = Deadlines(clock, _FRESHNESS_SECONDS)
        self._caches = {(r.group or "core", r.plural): ResourceCache(r) for r in resources if r.stored_as is None}
        self.revision = 0
        self._trouble = ""
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._expected: dict[str, tuple[bytes, JsonObject]] = {}
        """What this server is writing, by key: the value, and what it was made of."""

    def of(self, group: str, plural: str) -> ResourceCache:
        """The cache of one stored resource."""
        return self._caches[group or "core", plural]

    @asynccontextmanager
    async def running(self, tasks: asyncio.TaskGroup) -> AsyncIterator[None]:
        """Load everything, then follow the store for as long as the context lasts."""
        await self._load()
        follower = tasks.create_task(self._follow(), name="watch-cache")
        try:
            yield
        finally:
            follower.cancel()

    @contextmanager
    def expecting(self, key: str, value: bytes, obj: JsonObject) -> Iterator[None]:
        """Within, `value` need not be decoded when the store shows it at `key`: it is `obj`, which stays as it is."""
        mine = self._expected[key] = (value, obj)
        try:
            yield
        finally:
            if self._expected.get(key) is mine:
                del self._expected[key]

    async def reach(self, revision: int) -> None:
        """Wait until every event up to `revision` has been applied. Raises Timeout as upstream words it."""
        if revision <= self.revision:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((revision, waiter))
        try:
            with self._deadlines.begin():
                await waiter
        except TimeoutError:
            self._waiters = [pair for pair in self._waiters if pair[1] is not waiter]
            if revision <= self.revision:  # the loop was so late that both have come at once
                return
            raise Timeout(
                f"Timeout: Too large resource version: {revision}, current: {self.revision}",
                details={
                    "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                    "retryAfterSeconds": 1,
                },
            ) from None

    async def reach_latest(self) -> None:
        """Wait until the cache shows every write that was acknowledged before this call."""
        latest = await self.store.revision()
        if latest > self.revision:
            await self.reach(latest)

    async def _load(self) -> None:
        listing = await self.store.list("")
        for stored in listing.records:
            cache = self._cache_of(stored.key)
            if cache is not None:
                cache.load(stored, orjson.loads(stored.value))
        for cache in self._caches.values():
            cache.loaded(listing.revision)
        self.revision = listing.revision

    async def _follow(self) -> None:
        while True:
            try:
                async with self.store.watch("", after=self.revision) as events:
                    async for event in events:
                        self._apply(event)
            except Undecipherable as error:
                await self._be_in_trouble(str(error))
                await self._leap()
            except Compacted as gap:
                _log.warning("The store forgot history that this server had not read", error=str(gap))
                await self._leap()

    async def _leap(self) -> None:
        """Go on from what is there now. Watchers hear how it differs; who resumes from before it lists again.

        A deletion is told before what was written, under the revision before the last: whoever has seen but a part of
        the differences holds a revision from which no watch may resume.
        """
        while True:
            try:
                listing = await self.store.list("")
            except (Unavailable, Undecipherable) as error:
                await self._be_in_trouble(str(error))
            else:
                break
        found = {record.key: record for record in listing.records}
        before = max(self.revision, listing.revision - 1)
        for cache in self._caches.values():
            for key, entry in list(cache.entries.items()):
                kept = found.get(key)
                if kept is None or kept.created > entry.revision:
                    cache.apply(key, before, None, None)
        for record in sorted(listing.records, key=lambda record: record.revision):
            if record.revision > self.revision:
                self._take_in(record.key, record.revision, record)
        for cache in self._caches.values():
            cache.loaded(listing.revision)
        self._reached(listing.revision)

    async def _be_in_trouble(self, why: str) -> None:
        """Tell, and wait a little: it may be over by then, as when a server with another key has written."""
        _log.warning("The store cannot be read on", error=why)
        self._trouble = why
        await self._clock.sleep(_RETRY_SECONDS)

    @property
    def trouble(self) -> str:
        """What keeps the cache from following the store; empty when nothing does."""
        return self._trouble or self.store.trouble

    def _apply(self, event: Event) -> None:
        if event.key:
            self._take_in(event.key, event.revision, event.record)
        self._reached(event.revision)

    def _take_in(self, key: str, revision: int, record: Record | None) -> None:
        cache = self._cache_of(key)
        if cache is not None:
            cache.apply(key, revision, record, self._decoded(record) if record is not None else None)

    def _decoded(self, record: Record) -> JsonObject:
        value, obj = self._expected.get(record.key, _NOTHING)
        if value == record.value:
            return obj
        found: JsonObject = orjson.loads(record.value)
        return found

    def _reached(self, revision: int) -> None:
        self.revision = revision
        self._trouble = ""
        if self._waiters:
            for wanted, waiter in self._waiters:
                if wanted <= revision and not waiter.done():
                    waiter.set_result(None)
            self._waiters = [pair for pair in self._waiters if not pair[1].done()]

    def _cache_of(self, key: str) -> ResourceCache | None:
        group, plural, _ = key.split("/", 2)
        return self._caches.get((group, plural))
