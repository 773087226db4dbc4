"""Deadlines: timeouts of one length for many who wait at the same time, by one timer.

`asyncio.timeout` sets a timer on the loop for every wait, which costs more than answering a small request. As all here
have the same time, who began first is over first: the timer stands for that one alone.
"""

import asyncio
from types import TracebackType
from typing import Self

from pilothouse.runtime.clock import Clock


class Deadlines:
    """`with deadlines.begin(): ...` raises TimeoutError in its body after `seconds`."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._running: dict[Deadline, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> "Deadline":
        """A deadline for the task that runs, from now on."""
        task = asyncio.current_task()
        assert task is not None
        deadline = Deadline(self._running, task, self._clock.monotonic() + self._seconds)
        self._running[deadline] = None
        if self._timer is None:
            self._timer = self._clock.call_later(self._seconds, self._ring)
        return deadline

    def _ring(self) -> None:
        self._timer = None
        now = self._clock.monotonic()
        for deadline in list(self._running):
            if deadline.when > now:
                self._timer = self._clock.call_later(deadline.when - now, self._ring)
                return
            deadline.expire()


class Deadline:
    """One of them."""

    __slots__ = ("_cancelling", "_expired", "_running", "_task", "when")

    def __init__(self, running: dict["Deadline", None], task: asyncio.Task[object], when: float) -> None:
        self._running = running
        self._task = task
        self._cancelling = task.cancelling()
        self._expired = False
        self.when = when

    def expire(self) -> None:
        """Interrupt the task."""
        self._running.pop(self, None)
        self._expired = True
        self._task.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.pop(self, None)
        # As asyncio.timeout: somebody else's cancellation goes first.
        if self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
