"""Letting others run between expressions: many policies, or one with many parameters, take long together."""

from pilothouse.runtime.clock import Clock

LONGEST = 0.005
"""Seconds after which others get a turn."""


class Breath:
    """Of one request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = clock.monotonic()

    async def take(self) -> None:
        """Let others run, if it has been long."""
        if self._clock.monotonic() - self._last > LONGEST:
            await self._clock.sleep(0)
            self._last = self._clock.monotonic()
