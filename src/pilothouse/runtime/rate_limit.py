"""Rate limit: a bucket of tokens that fills at a steady rate and holds a burst."""

from pilothouse.runtime.clock import Clock


class TokenBucket:
    """Lets `rate` actions a second through, and `burst` at once after a quiet time."""

    def __init__(self, rate: float, burst: int, clock: Clock) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._filled = clock.monotonic()

    def take(self) -> bool:
        """Take a token if there is one."""
        self._fill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def reserve(self) -> float:
        """Take a token, even one that is not there yet: the seconds until the action may run."""
        self._fill()
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    async def wait(self) -> None:
        """Take a token and wait until it is there. Callers are served in the order they came."""
        delay = self.reserve()
        if delay > 0:
            await self._clock.sleep(delay)

    def _fill(self) -> None:
        now = self._clock.monotonic()
        self._tokens = min(float(self._burst), self._tokens + (now - self._filled) * self._rate)
        self._filled = now
