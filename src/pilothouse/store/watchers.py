"""Who watches what, and the one promise of a watch: everything, in order, or Compacted.

A watcher that keeps up is handed each event as it is published. One that lags is handed nothing: what waits for it is
dropped and read again from the table's history, so a slow reader costs a bounded queue and loses nothing until history
itself is let go.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager

from pilothouse.runtime.clock import Clock
from pilothouse.store.interface import Compacted, Event, Revision, StoreError
from pilothouse.store.table import Table

_WAITING = 1000
"""Events that wait for one watcher before it counts as lagging."""

_SCANNED = 2000
"""Events of history that one step of catching up looks at: about a tenth of a millisecond."""


class Watchers:
    """The watchers of one table, found by the prefixes of a written key."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._by_prefix: dict[str, list[Watcher]] = {}
        self._lengths: tuple[int, ...] = ()
        """The lengths of the watched prefixes: few, however many are watched."""
        self._ended: StoreError | None = None

    def publish(self, events: Iterable[Event]) -> None:
        """Offer writes, which the table has taken in, to those who watch their keys."""
        by_prefix = self._by_prefix
        for event in events:
            key = event.key
            for length in self._lengths:
                if length > len(key):
                    break
                for watcher in by_prefix.get(key[:length], ()):
                    watcher.offer(event)

    def end(self, reason: StoreError) -> None:
        """Raise `reason` in every watcher that has read what is published, and in those to come."""
        self._ended = reason
        for watchers in self._by_prefix.values():
            for watcher in watchers:
                watcher.end(reason)

    @contextmanager
    def watcher(self, prefix: str, after: Revision) -> Iterator["Watcher"]:
        """Register a watcher that begins with the write following `after`."""
        if self._ended is not None:
            raise self._ended
        if after < self._table.oldest:
            raise Compacted(self._table.oldest)
        watcher = Watcher(prefix, after, self._table, self._clock)
        self._by_prefix.setdefault(prefix, []).append(watcher)
        self._measure()
        try:
            yield watcher
        finally:
            self._by_prefix[prefix].remove(watcher)
            if not self._by_prefix[prefix]:
                del self._by_prefix[prefix]
            self._measure()

    def _measure(self) -> None:
        self._lengths = tuple(sorted({len(prefix) for prefix in self._by_prefix}))


class Watcher(AsyncIterator[Event]):
    """One reader's place in the sequence of events."""

    def __init__(self, prefix: str, after: Revision, table: Table, clock: Clock) -> None:
        self._prefix = prefix
        self._table = table
        self._clock = clock
        self._waiting: deque[Event] = deque()
        self._seen = after
        """While behind: everything up to here is handed out or in the queue, or was no business of this watcher."""
        self._behind = after < table.revision
        self._after = after
        self._wake: asyncio.Future[None] | None = None
        self._ended: StoreError | None = None

    def offer(self, event: Event) -> None:
        """Take an event that was just published."""
        if self._behind or event.revision <= self._after:
            return
        if len(self._waiting) >= _WAITING:
            self._seen = self._waiting[0].revision - 1
            self._waiting.clear()
            self._behind = True
            return
        self._waiting.append(event)
        self._rouse()

    def end(self, reason: StoreError) -> None:
        """Raise `reason` once everything published is read."""
        self._ended = reason
        self._rouse()

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._behind:
                if self._catch_up():
                    await self._clock.sleep(0)
            elif self._ended is not None:
                raise self._ended
            else:
                self._wake = asyncio.get_running_loop().create_future()
                await self._wake
        return self._waiting.popleft()

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _catch_up(self) -> bool:
        """Queue what the next stretch of history holds for this watcher; whether there was anything to look at."""
        events = self._table.events_after(self._seen, _SCANNED)
        if not events:
            self._behind = False
            return False
        prefix = self._prefix
        self._waiting.extend([event for event in events if event.key.startswith(prefix)][:_WAITING])
        cut = len(self._waiting) == _WAITING
        self._seen = self._waiting[-1].revision if cut else events[-1].revision
        return True
