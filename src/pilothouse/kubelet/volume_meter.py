"""Measures the pods' volumes now and then: of a large one this takes minutes, so whoever asks gets the last figures.

The kubelet's own volumes come first, pod by pod; one that takes its time keeps the others waiting for a moment. Of
other volumes others know, who are asked for all pods at once, so that whoever hangs holds up nobody's figures. What is
not done is not begun again. Upstream: server/stats/volume_stat_calculator.go.
"""

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet import disk_usage
from pilothouse.kubelet.disk_usage import FilesystemUse
from pilothouse.kubelet.layout import Layout
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

log = Log(__name__)
PERIOD = 60.0
"""Seconds between two looks: KubeletConfiguration's volumeStatsAggPeriod."""
PATIENCE = 10.0
"""Seconds that others wait for one pod, and then all pods for those who know of other volumes."""
PLUGINS = ("empty-dir", "configmap", "secret", "downward-api", "projected")

Volumes = Mapping[str, FilesystemUse]
"""A pod's, by name."""
Others = Callable[[Pod, Instant], Awaitable[Volumes]]


class VolumeMeter:
    """One for the node."""

    def __init__(self, layout: Layout, clock: Clock, patience: float = PATIENCE) -> None:
        self._layout = layout
        self._clock = clock
        self._patience = patience
        self._own = _Looks(self._look)
        self._foreign = _Looks(self._ask)
        self.others: Others | None = None
        """Who knows of volumes that are not the kubelet's own."""

    def of(self, uid: str) -> Volumes:
        """As last measured."""
        return {**self._own.found.get(uid, {}), **self._foreign.found.get(uid, {})}

    async def measure(self, pods: Iterable[Pod], tasks: Tasks) -> None:
        """Look at the volumes of these pods, and forget those of others."""
        wanted = {pod.metadata.uid: pod for pod in pods}
        for looks in (self._own, self._foreign):
            looks.keep(wanted)
        for pod in wanted.values():
            await self._wait([pod], self._own, tasks)
        if self.others is not None:
            await self._wait(list(wanted.values()), self._foreign, tasks)

    async def _wait(self, pods: list[Pod], looks: "_Looks", tasks: Tasks) -> None:
        begun = [looks.begin(pod, tasks) for pod in pods]
        try:
            async with self._clock.timeout(self._patience):
                for done in begun:
                    await done.wait()
        except TimeoutError:
            late = [pod.metadata.name for pod, done in zip(pods, begun, strict=True) if not done.is_set()]
            log.warning("Measuring pods' volumes takes long", pods=late)

    async def _look(self, pod: Pod) -> Volumes:
        return await asyncio.to_thread(self._walk, pod, self._clock.now())

    async def _ask(self, pod: Pod) -> Volumes:
        return await self.others(pod, self._clock.now()) if self.others is not None else {}

    def _walk(self, pod: Pod, now: Instant) -> Volumes:
        found = {}
        for volume in pod.spec.volumes:
            for plugin in PLUGINS:
                path = self._layout.volume(pod.metadata.uid, plugin, volume.name)
                try:
                    found[volume.name] = disk_usage.volume(path, now)
                except OSError:
                    continue
        return found


class _Looks:
    """Looks of one kind, and what they found."""

    def __init__(self, look: Callable[[Pod], Awaitable[Volumes]]) -> None:
        self._look = look
        self._busy: dict[str, asyncio.Event] = {}
        self.found: dict[str, Volumes] = {}

    def keep(self, uids: Container[str]) -> None:
        """Forget all other pods, and what is still to be found of them."""
        self.found = {uid: found for uid, found in self.found.items() if uid in uids}
        self._busy = {uid: done for uid, done in self._busy.items() if uid in uids}

    def begin(self, pod: Pod, tasks: Tasks) -> asyncio.Event:
        """Look at a pod unless that is being done; set when it is."""
        done = self._busy.get(pod.metadata.uid)
        if done is None:
            done = self._busy[pod.metadata.uid] = asyncio.Event()
            tasks.spawn(self._run(pod, done), name=f"volumes of {pod.metadata.name}")
        return done

    async def _run(self, pod: Pod, done: asyncio.Event) -> None:
        uid, found = pod.metadata.uid, None
        try:
            found = await self._look(pod)
        finally:
            done.set()
            if self._busy.get(uid) is done:
                del self._busy[uid]
                if found is not None:
                    self.found[uid] = found
