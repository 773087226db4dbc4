"""How devices are, as their drivers keep saying: KEP-4680. Who says nothing for a while does not know.

Upstream: pkg/kubelet/cm/dra/healthinfo.go. There it is on disk too; here the next kubelet waits until it is told again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pilothouse.runtime.clock import Clock

HEALTHY, UNHEALTHY, UNKNOWN = "Healthy", "Unhealthy", "Unknown"
WORDS = (UNKNOWN, HEALTHY, UNHEALTHY)
"""By their numbers in the interface."""
TIMEOUT = 30.0
"""Seconds for which what was said holds, unless a driver says how many."""
_LONGEST = 1024
"""Bytes of a message."""
Place = tuple[str, str]
"""Of a device: pool and name."""


@dataclass(frozen=True, slots=True)
class Health:
    """Of one device."""

    word: str = UNKNOWN
    message: str = ""
    timeout: float = TIMEOUT


_NOT_TOLD = Health()


def cut(message: str) -> str:
    """No longer than a status may have it."""
    text = message.encode()
    return message if len(text) <= _LONGEST else f"{text[: _LONGEST - 3].decode(errors='ignore')}..."


class HealthBook:
    """Of one node."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, dict[Place, tuple[Health, float]]] = {}

    def get(self, driver: str, place: Place) -> Health:
        """As far as it is known."""
        health, until = self._known.get(driver, {}).get(place, (_NOT_TOLD, 0.0))
        return health if self._clock.monotonic() <= until else _NOT_TOLD

    def report(self, driver: str, told: Iterable[tuple[Place, Health]]) -> list[Place]:
        """A driver tells of all its devices; those that have changed."""
        now, known, heard = self._clock.monotonic(), self._known.setdefault(driver, {}), set[Place]()
        changed = []
        for place, health in told:
            heard.add(place)
            if self.get(driver, place) != health:
                changed.append(place)
            known[place] = health, now + health.timeout
        for place in [place for place, (_, until) in known.items() if place not in heard and now > until]:
            del known[place]
            changed.append(place)
        return changed

    def clear(self, driver: str) -> list[Place]:
        """A driver tells no more; those that were known."""
        return list(self._known.pop(driver, ()))
