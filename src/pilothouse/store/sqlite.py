"""The store of a cluster on one machine: a SQLite file owned by this process, and all of it in memory as well.

Reads are answered from memory and touch no disk. A write is decided at once, on the event loop, against what memory
holds and what is on its way to disk (`staged`); one thread makes it durable, together with whatever else queued while
the sync before ran. Only then does memory change, and only then does anyone hear: the writer, the watchers, and those
whose refusal rested on a write not yet durable. When a commit fails, everything decided on it fails as Unavailable.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from pilothouse.runtime.clock import Clock
from pilothouse.runtime.hold import HoldsTime
from pilothouse.runtime.log import Log
from pilothouse.store.database import Connect, Contents, connect
from pilothouse.store.expiry import Expiry
from pilothouse.store.interface import (
    Conflict,
    Event,
    FutureRevision,
    KeyExists,
    Listing,
    Record,
    Revision,
    StoreError,
    Unavailable,
)
from pilothouse.store.table import Table
from pilothouse.store.watchers import Watchers
from pilothouse.store.writer import Writer
from pilothouse.store.writes import creation, removal, replacement

_log = Log(__name__)


@dataclass(slots=True, eq=False)
class _Staged:
    """A write, or a compaction, on its way to disk, and all who wait for it."""

    task: Event | Revision
    waiting: list[asyncio.Future[None]] = field(default_factory=list)


class SqliteStore:
    """A Store in the file at `path`. An async context manager: open inside, closed and durable after.

    Entering raises StoreInUse or StoreDamaged (`store.database`) when the file cannot be had.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        history_seconds: float = 300.0,
        history_bytes: int = 64 << 20,
        connect: Connect = connect,
    ) -> None:
        self._path = path
        self._clock = clock
        self._history_seconds = history_seconds
        self._history_bytes = history_bytes
        self._connect = connect
        self._table = Table()
        self._watchers = Watchers(self._table, clock)
        self._expiry = Expiry(clock, self._expire)
        self._next: Revision = 0
        """The revision of the write to come, counting those on their way to disk."""
        self._unavailable: str = "the store is not open"
        self._queue: deque[_Staged] = deque()
        self._staged: dict[str, _Staged] = {}
        """For each key that is being written, the latest of its writes."""
        self._held: AbstractContextManager[None] | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._writer = Writer(self._path, self._connect, self._loop, _Reports(self))
        self._writer.start()
        try:
            with self._hold():
                await self._opened
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unavailable = self._unavailable or "the store is closed"
        self._expiry.close()
        await self._close()
        self._watchers.end(Unavailable(self._unavailable))

    @property
    def trouble(self) -> str:
        """Why it does not serve."""
        return self._unavailable

    async def get(self, key: str) -> Record | None:
        """Return the record of `key`."""
        return self._readable().get(key)

    async def list(self, prefix: str, *, start: str = "", limit: int = 0, revision: Revision | None = None) -> Listing:
        """Return the records below `prefix`, now or as of `revision`."""
        return self._readable().list(prefix, start=start, limit=limit, revision=revision)

    async def create(self, key: str, value: bytes, *, ttl: float | None = None) -> Record:
        """Write a new key."""
        expires = self._expiry.when(ttl)
        event = await self._write(key, lambda found, revision: creation(found, key, value, revision, expires))
        assert event.record is not None
        return event.record

    async def update(self, key: str, value: bytes, *, expected: Revision, ttl: float | None = None) -> Record:
        """Replace the record that is at `expected`."""
        expires = self._expiry.when(ttl)
        event = await self._write(
            key, lambda found, revision: replacement(found, key, value, expected, revision, expires)
        )
        assert event.record is not None
        return event.record

    async def delete(self, key: str, *, expected: Revision) -> Revision:
        """Remove the record that is at `expected`."""
        event = await self._write(key, lambda found, revision: removal(found, key, expected, revision))
        return event.revision

    @asynccontextmanager
    async def watch(self, prefix: str, *, after: Revision) -> AsyncIterator[AsyncIterator[Event]]:
        """Follow the writes below `prefix`."""
        self._readable()
        with self._watchers.watcher(prefix, after) as watcher:
            yield watcher

    async def compact(self, revision: Revision) -> None:
        """Forget history before `revision`; disk and memory are given back by the writes that follow."""
        current = self._readable().revision
        if revision > current:
            raise FutureRevision(current)
        staged = self._enqueue(revision)
        self._writer.compact(revision)
        await self._settled(staged)

    async def revision(self) -> Revision:
        """Return the revision of the latest write."""
        return self._readable().revision

    def _readable(self) -> Table:
        if self._unavailable:
            raise Unavailable(self._unavailable)
        return self._table

    async def _write(self, key: str, decide: Callable[[Record | None, Revision], Event]) -> Event:
        table = self._readable()
        before = self._staged.get(key)
        found = before.task.record if before is not None and isinstance(before.task, Event) else table.get(key)
        try:
            event = decide(found, self._next)
        except (KeyExists, Conflict):
            if before is not None:  # then the refusal is true only once what it rests on is durable
                await self._settled(before)
            raise
        if before is None and not key.isascii():
            key.encode()  # a lone surrogate must fail its own caller, not the batch
        await self._settled(self._stage(event))
        return event

    def _stage(self, event: Event) -> _Staged:
        staged = self._staged[event.key] = self._enqueue(event)
        self._next += 1
        self._writer.write(event)
        return staged

    def _expire(self, key: str, revision: Revision) -> None:
        """Delete a record whose time is over, unless it is being written. Should that fail, the next start does it."""
        found = self._table.get(key)
        if found is not None and found.revision == revision and key not in self._staged and not self._unavailable:
            self._stage(removal(found, key, revision, self._next))

    def _enqueue(self, task: Event | Revision) -> _Staged:
        if not self._queue:
            self._held = self._hold()
            self._held.__enter__()
        staged = _Staged(task)
        self._queue.append(staged)
        return staged

    async def _settled(self, staged: _Staged) -> None:
        """Wait until `staged` is durable. Raises Unavailable when it is not; cancelling leaves it on its way."""
        future: asyncio.Future[None] = self._loop.create_future()
        staged.waiting.append(future)
        await future

    def _begin(self, contents: Contents) -> None:
        """Serve what the file holds."""
        self._table = Table(
            contents.records,
            contents.events,
            oldest=contents.oldest,
            history_seconds=self._history_seconds,
            history_bytes=self._history_bytes,
        )
        self._next = self._table.revision + 1
        self._watchers = Watchers(self._table, self._clock)
        self._unavailable = ""
        self._expiry.add_all(contents.records)

    def _take_in(self, count: int) -> None:
        """Make `count` durable writes visible, then answer."""
        done = [self._queue.popleft() for _ in range(count)]
        events: list[Event] = []
        now = self._clock.monotonic()
        for staged in done:
            if isinstance(staged.task, int):
                self._table.compact(staged.task)
                continue
            event = staged.task
            events.append(event)
            self._table.apply(event, now)
            if event.record is not None and event.record.expires:
                self._expiry.add(event.record)
            if self._staged[event.key] is staged:
                del self._staged[event.key]
        self._writer.oldest = self._table.oldest
        self._watchers.publish(events)
        self._release()
        for staged in done:
            for future in staged.waiting:
                if not future.done():
                    future.set_result(None)

    def _give_up(self, reason: str) -> None:
        """Fail all that is on its way to disk."""
        lost = list(self._queue)
        self._queue.clear()
        self._staged.clear()
        self._release()
        for staged in lost:
            for future in staged.waiting:
                if not future.done():
                    future.set_exception(Unavailable(reason))

    def _hold(self) -> AbstractContextManager[None]:
        return self._loop.hold("the store's disk") if isinstance(self._loop, HoldsTime) else nullcontext()

    def _release(self) -> None:
        if not self._queue and self._held is not None:
            self._held.__exit__(None, None, None)
            self._held = None

    async def _close(self) -> None:
        self._writer.stop()
        try:
            with self._hold():
                await asyncio.shield(self._closed)
        finally:
            self._writer.join()


class _Reports:
    """What the writer tells, and what the store makes of it."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def opened(self, contents: Contents) -> None:
        """The file is ours and sound."""
        if not self._store._opened.done():
            self._store._begin(contents)
            self._store._opened.set_result(None)

    def committed(self, count: int) -> None:
        """The oldest `count` staged writes are durable."""
        self._store._take_in(count)

    def failed(self, error: sqlite3.Error) -> None:
        """No staged write is durable, and the disk is otherwise well."""
        store = self._store
        _log.error("The store could not commit", error=error, path=store._path, writes=len(store._queue))
        store._give_up("the write was not stored: the disk that holds the cluster's state is full")
        store._next = store._table.revision + 1
        store._writer.resume()

    def closed(self, error: StoreError | None) -> None:
        """The thread has ended."""
        store = self._store
        if error is not None and not store._opened.done():
            store._opened.set_exception(error)
        elif error is not None and not store._opened.cancelled():
            _log.error("The store is closed: its disk failed", error=error, path=store._path)
            store._unavailable = "the store is closed: the disk that holds the cluster's state failed"
            store._give_up(store._unavailable)
            store._watchers.end(Unavailable(store._unavailable))
        store._closed.set_result(None)
