"""Deadline: the time by which something must happen on a connection, put off with every request.

Most deadlines are put off or lifted long before they come, so nothing is cancelled then: the one timer of the loop
goes off when it was once due, sees that there is time left, and waits on.
"""

import asyncio
from collections.abc import Callable

from pilothouse.runtime.clock import Clock

_NEAR = 0.001
"""A timer that goes off so much too early, by the clock's grain, is on time."""


class Deadline:
    """At most one point in time; `missed` is called when it has come."""

    __slots__ = ("_clock", "_due", "_ended", "_missed", "_timer", "_when")

    def __init__(self, clock: Clock, missed: Callable[[], None]) -> None:
        self._clock = clock
        self._missed = missed
        self._when: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._ended = False

    def set(self, seconds: float) -> None:
        """So many seconds from now, whatever was said before."""
        if self._ended:
            return
        self._when = self._clock.monotonic() + seconds
        if self._timer is not None:
            if self._due <= self._when:
                return
            self._timer.cancel()
        self._due = self._when
        self._timer = self._clock.call_later(seconds, self._check)

    def lift(self) -> None:
        """There is none for now."""
        self._when = None

    def end(self) -> None:
        """There will be none any more: let go of the timer too."""
        self._ended = True
        self._when = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        self._timer = None
        if self._when is None:
            return
        left = self._when - self._clock.monotonic()
        if left > _NEAR:
            self._due = self._when
            self._timer = self._clock.call_later(left, self._check)
        else:
            self._missed()
