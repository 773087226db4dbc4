"""How many seats a level was asked for over time: its average, spread and peak since the last look, and a slow memory.

Source: KEP-1040, "Seat Borrowing"; apiserver/pkg/util/flowcontrol/{seat_demand_stats,fairqueuing/integrator}.go.
"""

import math

from pilothouse.runtime.clock import Clock

ADJUSTMENT_SECONDS = 10.0
_MEMORY = 0.977
"""What remains of the smoothed demand after a period that asked for less."""


class Demand:
    """Seats in use or waited for."""

    __slots__ = ("_area", "_begin", "_clock", "_peak", "_since", "_squares", "average", "deviation", "high", "now",
                 "smoothed")  # fmt: skip

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.now = 0
        self._peak = 0
        self._area = 0.0
        self._squares = 0.0
        self._begin = self._since = clock.monotonic()
        self.average = 0.0
        self.deviation = 0.0
        self.high = 0.0
        self.smoothed = 0.0

    def add(self, seats: int) -> None:
        """So many more are asked for; fewer where it is negative."""
        moment = self._clock.monotonic()
        passed = moment - self._since
        if passed > 0.0:
            self._since = moment
            area = self.now * passed
            self._area += area
            self._squares += area * self.now
        self.now += seats
        self._peak = max(self._peak, self.now)

    def look(self) -> None:
        """Sum up what was since the last look, and begin anew."""
        self.add(0)
        span = self._since - self._begin
        if span > 0.0:
            self.average = self._area / span
            self.deviation = math.sqrt(max(0.0, self._squares / span - self.average**2))
            envelope = self.average + self.deviation
            kept = _MEMORY ** max(1.0, span / ADJUSTMENT_SECONDS)
            self.smoothed = max(envelope, kept * self.smoothed + (1 - kept) * envelope)
        self.high = float(self._peak)
        self._peak = self.now
        self._area = self._squares = 0.0
        self._begin = self._since
