"""Measures the pods' volumes now and then: of a large one this takes minutes, so whoever asks gets the last figures.

Of volumes that the kubelet does not make itself, others know. One that takes its time keeps the others
waiting for a moment, and is not begun again before it is done. Upstream: server/stats/volume_stat_calculator.go.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

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
"""Seconds that others wait for one pod."""
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
        self._known: dict[str, Volumes] = {}
        self._busy: dict[str, asyncio.Event] = {}
        self.others: Others | None = None
        """Who knows of volumes that are not the kubelet's own."""

    def of(self, uid: str) -> Volumes:
        """As last measured."""
        return self._known.get(uid, {})

    async def measure(self, pods: Iterable[Pod], tasks: Tasks) -> None:
        """Look at the volumes of these pods, and forget those of others."""
        wanted = {pod.metadata.uid: pod for pod in pods}
        self._known = {uid: found for uid, found in self._known.items() if uid in wanted}
        for uid, pod in wanted.items():
            if uid not in self._busy:
                self._busy[uid] = asyncio.Event()
                tasks.spawn(self._one(pod, self._busy[uid]), name=f"volumes of {pod.metadata.name}")
            try:
                async with self._clock.timeout(self._patience):
                    await self._busy[uid].wait()
                del self._busy[uid]
            except TimeoutError:
                log.warning("Measuring a pod's volumes takes long", pod=pod.metadata.name, uid=uid)

    async def _one(self, pod: Pod, done: asyncio.Event) -> None:
        try:
            now = self._clock.now()
            own = await asyncio.to_thread(self._look, pod, now)
            self._known[pod.metadata.uid] = {**own, **(await self.others(pod, now) if self.others else {})}
        finally:
            done.set()

    def _look(self, pod: Pod, now: Instant) -> Volumes:
        found = {}
        for volume in pod.spec.volumes:
            for plugin in PLUGINS:
                path = self._layout.volume(pod.metadata.uid, plugin, volume.name)
                try:
                    found[volume.name] = disk_usage.volume(path, now)
                except OSError:
                    continue
        return found
