"""Learns what changed in the runtime: by its events where it offers them, else by comparing listings.

The pace of the listings follows what happens: quick for a while after each change, one a second when all is quiet.
The name is upstream's: pod lifecycle event generator.
"""

from collections.abc import Callable, Mapping

from pilothouse.kubelet.cri.interface import Cri, CriError, CriUnimplemented
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.durations import go_duration
from pilothouse.runtime.log import Log

log = Log(__name__)
QUIET = 1.0
QUICK = 0.1
PATIENCE = 180.0
"""Seconds of the runtime's silence after which the kubelet counts as unhealthy."""
_QUICK_FOR = 3.0
"""Seconds of quick listings after a change."""
_WITH_EVENTS = 60.0
"""Seconds between listings where events come: only to find what got lost."""

Picture = Mapping[str, frozenset[tuple[str, object]]]
"""By pod uid, its sandboxes and containers with their states."""


class Pleg:
    """Calls `changed` with the uid of every pod whose sandboxes or containers changed."""

    def __init__(self, cri: Cri, clock: Clock, changed: Callable[[str], None]) -> None:
        self._cri = cri
        self._clock = clock
        self._changed = changed
        self._picture: Picture = {}
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
                    self._events = True
                    self._changed(uid)
            except CriUnimplemented:
                return
            except CriError as error:
                log.info("The stream of container events ended", err=str(error))
            self._events = False
            await self._clock.sleep(QUIET)

    async def look(self) -> bool:
        """Compare with the last listing; whether anything changed."""
        try:
            picture = await take_picture(self._cri)
        except CriError as error:
            log.warning("Cannot list containers", err=str(error))
            return False
        self.last_seen = self._clock.now()
        changed = [uid for uid in {**picture, **self._picture} if picture.get(uid) != self._picture.get(uid)]
        self._picture = picture
        for uid in changed:
            self._changed(uid)
        return bool(changed)


async def take_picture(cri: Cri) -> Picture:
    """The states of all sandboxes and containers now."""
    found: dict[str, set[tuple[str, object]]] = {}
    for sandbox in await cri.sandboxes():
        found.setdefault(sandbox.uid, set()).add((sandbox.id, sandbox.ready))
    owner = {sandbox_id: uid for uid, states in found.items() for sandbox_id, _ in states}
    for container in await cri.containers():
        if (uid := owner.get(container.sandbox_id)) is not None:
            found[uid].add((container.id, container.state))
    return {uid: frozenset(states) for uid, states in found.items()}
