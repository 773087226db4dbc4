"""Back-off: how long to wait before the next attempt, growing with every failure.

Two forms: one series (a reconnecting watch), and one series a key (a work queue). Jitter comes from Chance, so that
a seed replays every wait.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pilothouse.runtime.chance import Chance

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Growth:
    """A wait of `first` seconds, `factor` times more after each failure, never above `limit`."""

    first: float
    limit: float
    factor: float = 2.0
    jitter: float = 0.0
    """Adds up to this share of the wait, at random."""

    def wait(self, failures: int, chance: Chance | None = None) -> float:
        """Seconds to wait after `failures` failures, of which the first counts as 0."""
        wait = self.first
        for _ in range(failures):
            if wait >= self.limit:
                break
            wait *= self.factor
        wait = min(wait, self.limit)
        if self.jitter and chance is not None:
            wait += chance.uniform(0, self.jitter) * wait
        return wait


class Backoff:
    """One series of waits."""

    def __init__(self, growth: Growth, chance: Chance | None = None) -> None:
        self._growth = growth
        self._chance = chance
        self._failures = 0

    def next(self) -> float:
        """Seconds to wait now, and count one more failure."""
        wait = self._growth.wait(self._failures, self._chance)
        self._failures += 1
        return wait

    def reset(self) -> None:
        """Begin again: it worked."""
        self._failures = 0


class KeyedBackoff(Generic[K]):
    """A series of waits for each key."""

    def __init__(self, growth: Growth, chance: Chance | None = None) -> None:
        self._growth = growth
        self._chance = chance
        self._failures: dict[K, int] = {}

    def next(self, key: K) -> float:
        """Seconds to wait before `key` is tried again, and count one more failure of it."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        return self._growth.wait(failures, self._chance)

    def failures(self, key: K) -> int:
        """How often `key` has failed since it was forgotten."""
        return self._failures.get(key, 0)

    def forget(self, key: K) -> None:
        """Begin again for `key`: it worked, or it is gone."""
        self._failures.pop(key, None)
