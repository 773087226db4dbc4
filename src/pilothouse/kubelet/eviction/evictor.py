"""Looks at what is left, and ends pods: one at a time, and only when nothing else helps.

First go pods that write more than they may, all of them. Then, of what is lacking most urgently, all is thrown away
that nobody uses; if that is not enough, one pod goes, and when it is gone the next look follows.
Source: pkg/kubelet/eviction/eviction_manager.go.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admission import Evictions
from pilothouse.kubelet.api import Recorder
from pilothouse.kubelet.containers import describe
from pilothouse.kubelet.counts.eviction_counts import EvictionCounts
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.critical import is_critical
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.eviction.local_storage import excess, is_limited
from pilothouse.kubelet.eviction.messages import REASON, eviction_message
from pilothouse.kubelet.eviction.policy import EvictionPolicy
from pilothouse.kubelet.eviction.pressure import Pressure, look, met
from pilothouse.kubelet.eviction.ranking import Uses, rank
from pilothouse.kubelet.eviction.reclaimer import Reclaimer
from pilothouse.kubelet.eviction.signals import IMAGE_DISK, IMAGE_INODES, MEANINGS, NODE_DISK, NODE_INODES, Levels
from pilothouse.kubelet.eviction.signals import observe as observed
from pilothouse.kubelet.eviction.thresholds import Threshold
from pilothouse.kubelet.pod_end import OVERTIME
from pilothouse.kubelet.runtime_config import grace_period
from pilothouse.kubelet.stats import PodUse
from pilothouse.kubelet.status import Verdict
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

log = Log(__name__)
PERIOD = 10.0
"""Seconds between two looks."""
_AT_ONCE = 1.0
"""Seconds that a pod has to end when there is no time."""
_PATIENCE, _CLEAN_UP = 10.0, 30.0
"""Seconds that a pod has at least to end, and its things to be gone, before the next look."""
_BREATH = 1.0
_DISKS = {NODE_DISK, NODE_INODES, IMAGE_DISK, IMAGE_INODES}


class Node(Evictions, Protocol):
    """The pods of the node."""

    def placed(self) -> list[Pod]:
        """Those that may run."""
        ...

    async def cleared(self, uid: str) -> None:
        """Wait until nothing of a pod runs, and its volumes are gone."""
        ...


class Figures(Protocol):
    """What pods use."""

    async def pods(self) -> Sequence[PodUse]:
        """All of them. May raise CriError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an evictor works with."""

    node: Node
    figures: Figures
    levels: Callable[[], Awaitable[Levels]]
    recorder: Recorder
    clock: Clock
    press: Callable[[tuple[str, ...]], None]
    """Has the node tell of its pressure."""
    reclaimers: Sequence[Reclaimer] = ()
    counts: EvictionCounts
    name: str
    """Of the node."""
    images_apart: bool
    """Whether images, and what containers write, lie on a file system of their own."""


@dataclass(slots=True)
class Evictor:
    """One for the node."""

    policy: EvictionPolicy
    thresholds: Sequence[Threshold]
    around: Surroundings
    alarm: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to have a look at once."""
    on_levels: Callable[[Levels], None] = lambda _: None
    """Told what was seen, at each look."""
    _pressure: Pressure = field(default_factory=Pressure)
    _looked_at: float = 0.0

    async def run(self) -> None:
        """Look again and again; at once after pods were ended."""
        clock = self.around.clock
        while True:
            self.alarm.clear()
            try:
                ended = await self.look()
            except (CriError, OSError) as error:
                log.error("Eviction manager: failed to get summary stats", err=str(error))
                ended = []
            if ended:
                await self._wait_for(ended)
                continue
            try:
                async with clock.timeout(PERIOD):
                    await self.alarm.wait()
            except TimeoutError:
                continue

    async def look(self) -> list[tuple[Pod, float]]:
        """Do what must be done; the pods that are being ended, with how long they may take. May raise CriError."""
        around = self.around
        self._looked_at = around.clock.monotonic()
        levels = await around.levels()
        self.on_levels(levels)
        seen = observed(levels)
        self._pressure = look(
            self._pressure, self.thresholds, seen, around.clock.monotonic(), self.policy.transition
        )  # fmt: skip
        around.press(self._pressure.conditions)
        pods = around.node.placed()
        if ended := await self._end_excessive(pods):
            return ended
        due = self._pressure.due
        if not due:
            return []
        resource = MEANINGS[due[0].signal].resource
        about = {"kind": "Node", "name": around.name, "uid": around.name}
        around.recorder.event(about, "Warning", "EvictionThresholdMet", f"Attempting to reclaim {resource}")
        if await self._reclaim(due[0].signal):
            log.info("Eviction manager: able to reduce resource pressure without evicting pods.", of=resource)
            return []
        uses = await self._uses()
        for pod in rank(due[0].signal, pods, uses, images_apart=around.images_apart):
            message, notes = eviction_message(resource, pod, uses.get(pod.metadata.uid), due, seen)
            grace = _AT_ONCE if due[0].hard else self._soft_grace(pod)
            disrupted = {"DisruptionTarget": ("True", "TerminationByKubelet", message)}
            if self._end(pod, grace, Verdict("Failed", REASON, message, disrupted), due[0].signal, notes):
                return [(pod, grace)]
        log.info("Eviction manager: unable to evict any pods from the node")
        return []

    async def _uses(self) -> Uses:
        return {use.uid: use for use in await self.around.figures.pods()}

    async def _end_excessive(self, pods: Sequence[Pod]) -> list[tuple[Pod, float]]:
        """End those that write more than they may. What pods use is looked at only if there are any limits."""
        limited = [pod for pod in pods if is_limited(pod)] if self.policy.local_storage else []
        uses = await self._uses() if limited else {}
        ended = []
        for pod in limited:
            use = uses.get(pod.metadata.uid)
            found = excess(pod, use, images_apart=self.around.images_apart) if use is not None else None
            if found is not None:
                verdict = Verdict("Failed", REASON, found.message)
                if self._end(pod, _AT_ONCE, verdict, found.signal):
                    ended.append((pod, _AT_ONCE))
        return ended

    async def _reclaim(self, signal: str) -> bool:
        """Throw away what nobody uses; whether there is enough of everything now."""
        # What may be thrown away lies beside the images.
        helped = {IMAGE_DISK, IMAGE_INODES} if self.around.images_apart else _DISKS
        if signal not in helped or not self.around.reclaimers:
            return False
        for reclaimer in self.around.reclaimers:
            try:
                await reclaimer.reclaim()
            except (CriError, OSError) as error:
                log.warning("Eviction manager: unexpected error when attempting to reduce resource pressure",
                            err=str(error))  # fmt: skip
        return not met(self.thresholds, observed(await self.around.levels()), reclaimed=True)

    def _soft_grace(self, pod: Pod) -> float:
        """As much as the pod asks for, and no more than it may have; never less than a second."""
        asked = float(grace_period(pod))
        most = self.policy.max_pod_grace
        return max(asked if most < 0 else min(asked, float(most)), _AT_ONCE)

    def _end(
        self, pod: Pod, grace: float, verdict: Verdict, signal: str, notes: Mapping[str, str] | None = None
    ) -> bool:  # fmt: skip
        """Whether it may be ended."""
        if is_critical(pod):
            log.error("Eviction manager: cannot evict a critical pod", pod=describe(pod))
            return False
        around = self.around
        around.recorder.event(reference(pod), "Warning", REASON, verdict.message, notes)
        around.node.end(pod.metadata.uid, verdict, grace)
        around.counts.evicted(signal, around.clock.monotonic() - self._looked_at)
        return True

    async def _wait_for(self, ended: Sequence[tuple[Pod, float]]) -> None:
        """Until nothing of them runs, and their volumes are gone: what they used is free then."""
        clock = self.around.clock
        for pod, grace in ended:
            try:
                async with clock.timeout(max(_PATIENCE, grace * 1.5)):
                    await self.around.node.stopped(pod.metadata.uid)
            except TimeoutError:
                self.around.recorder.event(reference(pod), *OVERTIME)
            try:
                async with clock.timeout(_CLEAN_UP):
                    await self.around.node.cleared(pod.metadata.uid)
            except TimeoutError:
                log.warning("Eviction manager: timed out waiting for pods to be cleaned up", pod=describe(pod))
        await clock.sleep(_BREATH)
