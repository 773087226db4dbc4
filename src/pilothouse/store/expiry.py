"""Records that go by themselves, in a local store: when which is due, and one timer for the earliest.

A record that was written again meanwhile has another revision, and its earlier time means nothing: nobody is told of
what is not due any more, it is found out when its time comes.
"""

import asyncio
from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from pilothouse.runtime.clock import Clock, Instant
from pilothouse.store.interface import Record, Revision

_AT_ONCE = 100
"""Records that one turn of the loop lets go: a thousand events of one second are no long pause."""


class Expiry:
    """Calls `expire(key, revision)` when a record's time is over."""

    def __init__(self, clock: Clock, expire: Callable[[str, Revision], None]) -> None:
        self._clock = clock
        self._expire = expire
        self._due: list[tuple[Instant, Revision, str]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._at: Instant = 0.0

    def when(self, ttl: float | None) -> Instant:
        """When a record that is written now goes; 0 for one that stays."""
        return self._clock.now() + ttl if ttl is not None else 0.0

    def add(self, record: Record) -> None:
        """Take note of a record. One that stays is none of ours."""
        if record.expires:
            heappush(self._due, (record.expires, record.revision, record.key))
            self._set_timer()

    def add_all(self, records: Iterable[Record]) -> None:
        """Take note of what a store began with."""
        for record in records:
            self.add(record)

    def close(self) -> None:
        """Let nothing go any more."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        first = self._due[0][0]
        if self._timer is not None:
            if self._at <= first:
                return
            self._timer.cancel()
        self._at = first
        self._timer = self._clock.call_later(max(first - self._clock.now(), 0.0), self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self._clock.now()
        for _ in range(_AT_ONCE):
            if not self._due or self._due[0][0] > now:
                break
            _, revision, key = heappop(self._due)
            self._expire(key, revision)
        if self._due:
            self._set_timer()
