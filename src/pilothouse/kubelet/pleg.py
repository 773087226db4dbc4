"""Learns what changed in the runtime: by its events where it offers them, else by comparing listings.

The pace of the listings follows what happens: quick for a while after each change, one a second when all is quiet.
The name is upstream's: pod lifecycle event generator.
"""

from collections.abc import Callable

from pilothouse.kubelet.counts.pleg_counts import PlegCounts
from pilothouse.kubelet.cri.interface import Cri, CriError, CriUnimplemented
from pilothouse.kubelet.cri.picture import Picture
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.durations import go_duration
from pilothouse.runtime.log import Log
from pilothouse.runtime.metrics import Metrics

log = Log(__name__)
QUIET = 1.0
QUICK = 0.1
PATIENCE = 180.0
"""Seconds of the runtime's silence after which the kubelet counts as unhealthy."""
_QUICK_FOR = 3.0
"""Seconds of quick listings after a change."""
_WITH_EVENTS = 60.0
"""Seconds between listings where events come: only to find what got lost."""


class Pleg:
    """Calls `changed` with the uid of every pod whose sandboxes or containers changed."""

    def __init__(
        self, cri: Cri, clock: Clock, changed: Callable[[str], None], counts: PlegCounts | None = None
    ) -> None:
        self._cri = cri
        self._clock = clock
        self._changed = changed
        self._counts = counts or PlegCounts(Metrics())
        self.picture: Picture = {}
        """What the last listing told."""
        self._looked_at: float | None = None
        self._events = False
        self.last_seen: Instant = clock.now()
        """When the runtime last answered."""

    def complaint(self) -> str:
        """Why all is not well: the runtime has not been heard of for long. Empty when it has."""
        silent = self._clock.now() - self.last_seen
        return f"pleg was last seen active {go_duration(silent)} ago; threshold is 3m0s" if silent > PATIENCE else ""

    def unhealthy(self) -> str:
        """The complaint as the node's conditions have it."""
        complaint = self.complaint()
        return complaint and f"PLEG is not healthy: {complaint}"

    async def run(self) -> None:
        """List for as long as the kubelet lives."""
        quick_until = 0.0
        while True:
            if await self.look():
                quick_until = self._clock.monotonic() + _QUICK_FOR
            quick = self._clock.monotonic() < quick_until
            await self._clock.sleep(_WITH_EVENTS if self._events else QUICK if quick else QUIET)

    async def listen(self) -> None:
        """Follow the runtime's events, if it has any; returns when it has none."""
        while True:
            try:
                async for uid in self._cri.events():
                    if not self._events:
                        self._counts.streams.inc()
                    self._events = True
                    self._changed(uid)
            except CriUnimplemented:
                return
            except CriError as error:
                self._counts.stream_errors.inc()
                log.info("The stream of container events ended", err=str(error))
            self._events = False
            await self._clock.sleep(QUIET)

    async def look(self) -> bool:
        """Compare with the last listing; whether anything changed."""
        began = self._clock.monotonic()
        if self._looked_at is not None:
            self._counts.intervals.observe(began - self._looked_at)
        self._looked_at = began
        try:
            picture = await self._cri.picture()
        except CriError as error:
            log.warning("Cannot list containers", err=str(error))
            return False
        self.last_seen = self._clock.now()
        self._counts.listings.observe(self._clock.monotonic() - began)
        self._counts.last_seen.set(self.last_seen)
        changed = [uid for uid in {**picture, **self.picture} if picture.get(uid) != self.picture.get(uid)]
        self.picture = picture
        for uid in changed:
            self._changed(uid)
        return bool(changed)
