"""Asks kubelets what is used, while somebody wants to know.

Nobody asks, nothing happens. The first who does waits for two points that are close together; from then on there is one
every fifteen seconds, until nobody has asked for some minutes. docs/decisions says why; upstream: metrics-server,
pkg/scraper.
"""

import asyncio
from typing import Protocol

from pilothouse.api.machinery.errors import StatusError
from pilothouse.apiserver.registry.entry import Entry
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.apiserver.streaming.location import Kubelet, kubelet_of
from pilothouse.apiserver.usage.points import read_points
from pilothouse.apiserver.usage.samples import RESOLUTION, Samples
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

APART = 1.5
"""Seconds between the first two points. Our kubelet's figures are at most one second old."""
PATIENCE = 5.0
"""Seconds that who asks first waits at most: a node may be silent."""
IDLE = 300.0
"""Seconds without a question after which kubelets are left alone."""
_TIMEOUT = 10.0
"""Seconds a kubelet may take: metrics-server's --kubelet-request-timeout."""
_AT_ONCE = 64
"""Connections at the same time."""

_log = Log(__name__)


class Kubelets(Protocol):
    """A client of theirs."""

    async def page(self, kubelet: Kubelet, target: str) -> str:
        """A page of text. Raises StatusError."""
        ...


class Scraper:
    """One of a server. `tasks` is where it works."""

    def __init__(self, cache: WatchCache, kubelets: Kubelets, clock: Clock, tasks: Tasks) -> None:
        self.samples = Samples()
        self._cache = cache
        self._kubelets = kubelets
        self._clock = clock
        self._tasks = tasks
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._under_way: set[str] = set()
        self._failing: dict[str, str] = {}
        """Why nodes did not say anything when they were asked last."""
        self._asked = 0.0
        self._warm: asyncio.Event | None = None
        """Set once there were two points; None while kubelets are left alone."""

    async def wanted(self) -> None:
        """Somebody asks: let there be figures, or wait as long as is reasonable."""
        self._asked = self._clock.monotonic()
        if self._warm is None:
            self._warm = asyncio.Event()
            self._tasks.spawn(self._scrape(self._warm), name="usage")
        if not self._warm.is_set():
            try:
                async with self._clock.timeout(PATIENCE):
                    await self._warm.wait()
            except TimeoutError:
                pass

    async def _scrape(self, warm: asyncio.Event) -> None:
        try:
            self._ask_all()
            await self._clock.sleep(APART)
            if second := self._ask_all():
                await asyncio.wait(second)
            warm.set()
            if self._failing:
                node, why = next(iter(self._failing.items()))
                _log.warning("Nodes do not say what they use", nodes=len(self._failing), one=node, why=why)
            while True:
                await self._clock.sleep(RESOLUTION)
                if self._clock.monotonic() - self._asked >= IDLE:
                    return
                self._ask_all()
        finally:
            self._warm = None
            self.samples.clear()
            self._failing.clear()

    def _ask_all(self) -> list[asyncio.Task[None]]:
        """Ask every node but those that have not answered yet."""
        nodes = {entry.name: entry for entry in self._cache.of("", "nodes").select("")}
        for gone in {*self.samples.nodes, *self._failing} - nodes.keys():
            self.samples.forget(gone)
            self._failing.pop(gone, None)
        asked = [(name, entry) for name, entry in nodes.items() if name not in self._under_way]
        self._under_way.update(name for name, _ in asked)
        return [self._tasks.spawn(self._ask(name, entry), name=f"usage of {name}") for name, entry in asked]

    async def _ask(self, name: str, node: Entry) -> None:
        try:
            async with self._slots, self._clock.timeout(_TIMEOUT):
                page = await self._kubelets.page(kubelet_of(node.decode()), "/metrics/resource")
            points = read_points(page, self._clock.now())
            if self._warm is not None:  # else all was forgotten meanwhile, and is not to begin with this
                self.samples.take(name, points)
            self._failing.pop(name, None)
        except (StatusError, TimeoutError, ValueError) as error:
            self.samples.forget(name)
            self._failing[name] = str(error) or "it takes too long"
        finally:
            self._under_way.discard(name)
