"""Time, injected: every timer, back-off, lease and timestamp of the system asks a Clock.

Waiting always goes through the running event loop, so the two clocks differ only in what the time *is*: under the
virtual-time loop of `pilothouse.testing` the loop's own time is the cluster's time, and it jumps when all is quiet.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

Instant = float
"""Seconds since the Unix epoch."""


class Clock(Protocol):
    """What the system knows of time. Durations are float seconds."""

    def now(self) -> Instant:
        """Wall-clock time, for timestamps that leave the process."""
        ...

    def monotonic(self) -> float:
        """Time that never goes back, for measuring and waiting."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let others run for `seconds`."""
        ...

    def timeout(self, seconds: float | None) -> asyncio.Timeout:
        """Return a context manager that raises TimeoutError in its body after `seconds`; None never does."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        """Call `callback` on the loop after `seconds`; the handle cancels it."""
        ...


class _LoopTimers:
    """Waiting, which is the same for both clocks."""

    async def sleep(self, seconds: float) -> None:
        """Let others run for `seconds`."""
        await asyncio.sleep(seconds)  # noqa: TID251 - this is the one place

    def timeout(self, seconds: float | None) -> asyncio.Timeout:
        """Return a context manager that raises TimeoutError in its body after `seconds`."""
        return asyncio.timeout(seconds)  # noqa: TID251 - this is the one place

    def call_later(self, seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        """Call `callback` on the loop after `seconds`."""
        return asyncio.get_running_loop().call_later(seconds, callback)


class SystemClock(_LoopTimers):
    """The machine's time."""

    def now(self) -> Instant:
        """Seconds since the epoch by the machine's clock."""
        return time.time()  # noqa: TID251 - this is the one place

    def monotonic(self) -> float:
        """Seconds since some moment, never going back."""
        return time.monotonic()  # noqa: TID251 - this is the one place


class LoopClock(_LoopTimers):
    """The running loop's time, counted from `epoch`: the clock of virtual time."""

    def __init__(self, epoch: Instant) -> None:
        self._epoch = epoch

    def now(self) -> Instant:
        """Seconds since the epoch by the loop's clock."""
        return self._epoch + asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        """The loop's own time."""
        return asyncio.get_running_loop().time()


def format_time(instant: Instant) -> str:
    """RFC 3339 in UTC with whole seconds, as metav1.Time is written."""
    return _format_second(int(instant))


@lru_cache(maxsize=64)
def _format_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_micro_time(instant: Instant) -> str:
    """RFC 3339 in UTC with microseconds, as metav1.MicroTime is written."""
    second, micros = divmod(round(instant * 1e6), 1_000_000)
    return f"{_format_second(second)[:-1]}.{micros:06d}Z"


def parse_time(text: str) -> Instant:
    """Read an RFC 3339 time, with or without a fraction. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.timestamp()
