"""The scheduling queue: which pod is next, and which wait for what.

Three places. *Active*: to be tried now, by priority, then by the time of the last failure or, before any, of arrival.
*Backoff*: worth trying, but it failed lately; by the second in which that is over, then by priority. When nothing is
active the first of these is tried even so, unless an error put it there. *Waiting*: refused; it leaves when something
happens that a plugin which refused it asked for, or after five minutes. Gated pods wait for their gates. Upstream:
pkg/scheduler/backend/queue, KEP-4247 (queueing hints), KEP-3521 (gates).
"""

import asyncio
import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field

from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.key import Key
from pilothouse.runtime.backoff import Growth
from pilothouse.runtime.clock import Clock
from pilothouse.scheduler.changes import Happened, waiting_changes
from pilothouse.scheduler.framework import Plugin
from pilothouse.scheduler.pod_info import PodInfo

BACKOFF = Growth(first=1.0, limit=10.0)
PATIENCE = 300.0
"""How long a pod waits for a change before it is tried anyway."""
_WINDOW = 1.0
"""Back-offs that end within so many seconds count as ending together."""


@dataclass(slots=True, eq=False)
class Queued:
    """A pod and its history here."""

    info: PodInfo
    since: float
    """When it failed last or, before any failure, when it came."""
    place: str = "active"
    failures: int = 0
    """How often in a row it was refused."""
    errors: int = 0
    """How often in a row trying failed."""
    attempts: int = 0
    """How often it was tried."""
    plugins: Mapping[str, None] = field(default_factory=dict)
    """The plugins that refused it last."""


class SchedulingQueue:
    """Pods without a node."""

    def __init__(self, plugins: Mapping[str, Plugin], clock: Clock, growth: Growth = BACKOFF) -> None:
        self._plugins = plugins
        self._clock = clock
        self._growth = growth
        self._all: dict[Key, Queued] = {}
        self._active: list[tuple[int, float, int, Queued]] = []
        self._backoff: list[tuple[float, int, float, int, Queued]] = []
        self._waiting: dict[Key, Queued] = {}
        self._number = 0
        self._wake = asyncio.Event()
        self._asked = {change for one in plugins.values() for change in one.requeue_on}
        self._unasked: dict[Key, None] = {}
        """Those that wait though no plugin refused them: whatever happens may help."""

    def __len__(self) -> int:
        return len(self._all)

    def counts(self) -> dict[str, int]:
        """How many pods are in each place."""
        found = dict.fromkeys(("active", "backoff", "waiting", "gated", "tried"), 0)
        for queued in self._all.values():
            found[queued.place] += 1
        return found

    def place(self, key: Key) -> str:
        """Where a pod is: active, backoff, waiting, gated or tried; empty if it is not known."""
        queued = self._all.get(key)
        return queued.place if queued is not None else ""

    def set(self, pod: Pod) -> Queued:
        """A pod without a node has come or changed."""
        key = Key.of(pod)
        queued = self._all.get(key)
        if queued is not None and queued.info.uid != pod.metadata.uid:
            self.remove(key)
            queued = None
        if queued is None:
            queued = self._all[key] = Queued(PodInfo.of(pod), self._clock.monotonic(), "gated")
            if not pod.spec.schedulingGates:
                self._activate(queued)
        else:
            self._update(queued, pod)
        return queued

    def _update(self, queued: Queued, pod: Pod) -> None:
        old = queued.info
        queued.info = PodInfo.of(pod)
        if not old.pod.status.nominatedNodeName and not queued.info.nominated:
            queued.info.nominated = old.nominated  # it is on its way to the API server
        if queued.place == "gated":
            if not pod.spec.schedulingGates:
                self._activate(queued)
        elif queued.place == "waiting":
            for change in waiting_changes(old.pod, pod):
                if self._may_help(queued, Happened(change, old.pod, pod)):
                    self._requeue(queued)
                    break

    def remove(self, key: Key) -> None:
        """A pod has gone, or has its node."""
        queued = self._all.pop(key, None)
        if queued is not None:
            queued.place = "gone"
            self._leave(key)

    async def next(self) -> Queued:
        """Wait for the pod to be tried now."""
        while True:
            queued = self._take()
            if queued is not None:
                queued.place = "tried"
                queued.attempts += 1
                return queued
            self._wake.clear()
            due = self._due()
            try:
                async with self._clock.timeout(None if due is None else max(due - self._clock.monotonic(), 0.0)):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def refused(self, queued: Queued, plugins: Mapping[str, None]) -> None:
        """It could not be placed: let it wait for a change that these plugins ask for, or for any if none is named."""
        if queued.place == "gone":
            return
        queued.failures += 1
        queued.errors = 0
        queued.since = self._clock.monotonic()
        queued.plugins = plugins
        queued.place = "waiting"
        self._waiting[queued.info.key] = queued
        if not plugins:
            self._unasked[queued.info.key] = None
        self._wake.set()

    def failed(self, queued: Queued) -> None:
        """Something went wrong while it was being placed: try again after a while."""
        if queued.place == "gone":
            return
        self._leave(queued.info.key)
        queued.errors += 1
        queued.since = self._clock.monotonic()
        queued.plugins = {}
        self._back_off(queued)

    def changed(self, happened: Happened) -> None:
        """Something happened in the cluster."""
        if happened.change not in self._asked and not self._unasked:
            return
        for queued in list(self._waiting.values()):
            if self._may_help(queued, happened):
                self._requeue(queued)

    def _may_help(self, queued: Queued, happened: Happened) -> bool:
        if not queued.plugins:
            return True
        refusing = (self._plugins[name] for name in queued.plugins if name in self._plugins)
        return any(happened.change in one.requeue_on and one.helps(queued.info, happened) for one in refusing)

    def activate(self, key: Key) -> None:
        """Try a waiting pod again, whatever happened."""
        if key in self._waiting:
            self._requeue(self._waiting[key])

    def _leave(self, key: Key) -> None:
        self._waiting.pop(key, None)
        self._unasked.pop(key, None)

    def _requeue(self, queued: Queued) -> None:
        self._leave(queued.info.key)
        if self._expiry(queued) > self._clock.monotonic():
            self._back_off(queued)
        else:
            self._activate(queued)

    def _expiry(self, queued: Queued) -> float:
        """The second in which its back-off ends."""
        count = queued.errors or queued.failures
        return (queued.since + self._growth.wait(count - 1)) // _WINDOW * _WINDOW if count else 0.0

    def _activate(self, queued: Queued) -> None:
        queued.place = "active"
        self._number += 1
        heapq.heappush(self._active, (-queued.info.priority, queued.since, self._number, queued))
        self._wake.set()

    def _back_off(self, queued: Queued) -> None:
        queued.place = "backoff"
        self._number += 1
        heapq.heappush(self._backoff, (self._expiry(queued), -queued.info.priority, queued.since, self._number, queued))
        self._wake.set()

    def _take(self) -> Queued | None:
        """The best of the active; else the first of those that back off and met no error."""
        self._flush()
        while self._active:
            queued = heapq.heappop(self._active)[-1]
            if queued.place == "active":
                return queued
        kept = []
        found = None
        while self._backoff and found is None:
            entry = heapq.heappop(self._backoff)
            queued = entry[-1]
            if queued.place != "backoff":
                continue
            if queued.errors:
                kept.append(entry)
            else:
                found = queued
        for entry in kept:
            heapq.heappush(self._backoff, entry)
        return found

    def _flush(self) -> None:
        """Move what has waited for long enough."""
        now = self._clock.monotonic()
        while self._backoff and self._backoff[0][0] <= now:
            queued = heapq.heappop(self._backoff)[-1]
            if queued.place == "backoff":
                self._activate(queued)
        while self._waiting:
            oldest = next(iter(self._waiting.values()))
            if oldest.since + PATIENCE > now:
                return
            self._requeue(oldest)

    def _due(self) -> float | None:
        """When there is something to flush."""
        times = [self._backoff[0][0]] if self._backoff else []
        if self._waiting:
            times.append(next(iter(self._waiting.values())).since + PATIENCE)
        return min(times, default=None)
