"""Work queue: keys that need attention, each at most once in line and never worked on twice at a time.

A key added while a worker has it comes back when the worker is done: whatever changed meanwhile is seen. Keys leave
in the order they came, so that a seed replays the order of work.
"""

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from pilothouse.runtime.backoff import Growth, KeyedBackoff
from pilothouse.runtime.clock import Clock

K = TypeVar("K", bound=Hashable)

RETRY = Growth(first=0.005, limit=1000.0)
"""How long a failing key waits, as upstream's controllers do."""


class WorkQueue(Generic[K]):
    """Keys to work on. `get`, work, `done`; then `forget` after success or `add_rate_limited` after failure."""

    def __init__(self, clock: Clock, retry: Growth = RETRY) -> None:
        self._clock = clock
        self._backoff: KeyedBackoff[K] = KeyedBackoff(retry)
        self._line: deque[K] = deque()
        self._wanted: dict[K, None] = {}
        self._in_work: dict[K, None] = {}
        self._later: dict[K, asyncio.TimerHandle] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()

    def add(self, key: K) -> None:
        """Put `key` in line, unless it is there."""
        if key in self._wanted:
            return
        self._wanted[key] = None
        if key not in self._in_work:
            self._line.append(key)
            self._wake()

    def add_first(self, key: K) -> None:
        """Put `key` before all others in line."""
        if key in self._in_work:
            self.add(key)
            return
        if key in self._wanted:
            self._line.remove(key)
        self._wanted[key] = None
        self._line.appendleft(key)
        self._wake()

    def add_after(self, key: K, seconds: float) -> None:
        """Put `key` in line after `seconds`; of several such wishes the earliest counts."""
        if seconds <= 0:
            self.add(key)
            return
        pending = self._later.get(key)
        if pending is not None:
            if pending.when() <= asyncio.get_running_loop().time() + seconds:
                return
            pending.cancel()
        self._later[key] = self._clock.call_later(seconds, lambda: self._due(key))

    def add_rate_limited(self, key: K) -> None:
        """Put `key` in line after its back-off, which this failure lengthens."""
        self.add_after(key, self._backoff.next(key))

    def forget(self, key: K) -> None:
        """End the back-off of `key`."""
        self._backoff.forget(key)

    def retries(self, key: K) -> int:
        """How often `key` came back by its back-off since it was forgotten."""
        return self._backoff.failures(key)

    async def get(self) -> K:
        """Take the next key, waiting for one. The caller works on it alone until it calls `done`."""
        while not self._line:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
                elif self._line:
                    self._wake()
                raise
        key = self._line.popleft()
        del self._wanted[key]
        self._in_work[key] = None
        return key

    def done(self, key: K) -> None:
        """The worker has finished with `key`, one way or the other."""
        self._in_work.pop(key, None)
        if key in self._wanted:
            self._line.append(key)
            self._wake()

    def idle(self) -> bool:
        """Whether nothing is in line and nobody works; keys that come later do not count."""
        return not self._line and not self._in_work

    def close(self) -> None:
        """Drop the timers of keys that were to come later."""
        for handle in self._later.values():
            handle.cancel()
        self._later.clear()

    @property
    def depth(self) -> int:
        """How many keys are in line."""
        return len(self._line)

    def _due(self, key: K) -> None:
        self._later.pop(key, None)
        self.add(key)

    def _wake(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
