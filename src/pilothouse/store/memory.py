"""The store for tests and simulation: everything in memory, nothing waits, no thread.

It behaves as the SQLite store does, but for forgetting all when it goes.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from pilothouse.runtime.clock import Clock
from pilothouse.store.expiry import Expiry
from pilothouse.store.interface import Event, Listing, Record, Revision, Unavailable
from pilothouse.store.table import Table
from pilothouse.store.watchers import Watchers
from pilothouse.store.writes import creation, removal, replacement


class MemoryStore:
    """A Store in memory. Usable at once; as a context manager it ends its watchers on leaving."""

    def __init__(self, clock: Clock, *, history_seconds: float = 300.0, history_bytes: int = 64 << 20) -> None:
        self._clock = clock
        self._table = Table(history_seconds=history_seconds, history_bytes=history_bytes)
        self._watchers = Watchers(self._table, clock)
        self._expiry = Expiry(clock, self._expire)
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._expiry.close()
        self._watchers.end(Unavailable("the store is closed"))

    @property
    def trouble(self) -> str:
        """Why it does not serve."""
        return "the store is closed" if self._closed else ""

    async def get(self, key: str) -> Record | None:
        """Return the record of `key`."""
        return self._open().get(key)

    async def list(self, prefix: str, *, start: str = "", limit: int = 0, revision: Revision | None = None) -> Listing:
        """Return the records below `prefix`, now or as of `revision`."""
        return self._open().list(prefix, start=start, limit=limit, revision=revision)

    async def create(self, key: str, value: bytes, *, ttl: float | None = None) -> Record:
        """Write a new key."""
        table = self._open()
        event = creation(table.get(key), key, value, table.revision + 1, self._expiry.when(ttl))
        self._commit(event)
        assert event.record is not None
        return event.record

    async def update(self, key: str, value: bytes, *, expected: Revision, ttl: float | None = None) -> Record:
        """Replace the record that is at `expected`."""
        table = self._open()
        expires = self._expiry.when(ttl)
        event = replacement(table.get(key), key, value, expected, table.revision + 1, expires)
        self._commit(event)
        assert event.record is not None
        return event.record

    async def delete(self, key: str, *, expected: Revision) -> Revision:
        """Remove the record that is at `expected`."""
        table = self._open()
        event = removal(table.get(key), key, expected, table.revision + 1)
        self._commit(event)
        return event.revision

    @asynccontextmanager
    async def watch(self, prefix: str, *, after: Revision) -> AsyncIterator[AsyncIterator[Event]]:
        """Follow the writes below `prefix`."""
        with self._watchers.watcher(prefix, after) as watcher:
            yield watcher

    async def compact(self, revision: Revision) -> None:
        """Forget history before `revision`."""
        self._open().compact(revision)

    async def revision(self) -> Revision:
        """Return the revision of the latest write."""
        return self._open().revision

    def _open(self) -> Table:
        if self._closed:
            raise Unavailable("the store is closed")
        return self._table

    def _expire(self, key: str, revision: Revision) -> None:
        found = self._table.get(key)
        if found is not None and found.revision == revision:
            self._commit(removal(found, key, revision, self._table.revision + 1))

    def _commit(self, event: Event) -> None:
        self._table.apply(event, self._clock.monotonic())
        if event.record is not None:
            self._expiry.add(event.record)
        self._watchers.publish((event,))
