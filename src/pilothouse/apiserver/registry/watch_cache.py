"""The watch cache: all resources, fed by one watch over the whole store.

Because the watch has no gaps and covers everything, the revision of its latest event says how fresh every resource is.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import orjson

from pilothouse.api.machinery.errors import Timeout
from pilothouse.api.machinery.resource import Resource
from pilothouse.apiserver.registry.resource_cache import ResourceCache
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.deadlines import Deadlines
from pilothouse.store.interface import Compacted, Event, Store

_FRESHNESS_SECONDS = 3.0
"""How long a read waits for the cache to reach the revision it asks for, as upstream's does."""


class WatchCache:
    """Resource caches by (group, plural), and the revision they have all reached."""

    def __init__(self, store: Store, resources: Iterable[Resource[Any]], clock: Clock) -> None:
        self.store = store
        self._deadlines = Deadlines(clock, _FRESHNESS_SECONDS)
        self._caches = {(r.group or "core", r.plural): ResourceCache(r) for r in resources if r.stored_as is None}
        self.revision = 0
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

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
            except Compacted as gap:
                raise RuntimeError(f"the store forgot history that this server had not read: {gap}") from gap

    def _apply(self, event: Event) -> None:
        cache = self._cache_of(event.key)
        if cache is not None:
            obj = orjson.loads(event.record.value) if event.record is not None else None
            cache.apply(event.key, event.revision, event.record, obj)
        self.revision = event.revision
        if self._waiters:
            for revision, waiter in self._waiters:
                if revision <= event.revision and not waiter.done():
                    waiter.set_result(None)
            self._waiters = [pair for pair in self._waiters if not pair[1].done()]

    def _cache_of(self, key: str) -> ResourceCache | None:
        group, plural, _ = key.split("/", 2)
        return self._caches.get((group, plural))
