"""Housekeeping: what lies on the node and belongs to no pod that the API server knows of is removed.

Pods that end while the kubelet runs are taken away by their workers; this is for what ended while nobody was there.
"""

import asyncio
from collections.abc import Set as AbstractSet

from pilothouse.kubelet.cri.interface import Cri, CriError, Sandbox
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.resources.pod_cgroups import PodCgroups
from pilothouse.kubelet.runtime_config import GRACE
from pilothouse.kubelet.volume import Mounter, VolumeError
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

log = Log(__name__)
_PAUSE = 2.0
"""Seconds until what could not be removed is tried again."""
_GRACE = 30.0


class Housekeeping:
    """One node's."""

    def __init__(
        self, cri: Cri, volumes: Volumes, cgroups: PodCgroups, mounter: Mounter, layout: Layout, clock: Clock
    ) -> None:
        self._cri = cri
        self._volumes = volumes
        self._cgroups = cgroups
        self._mounter = mounter
        self._layout = layout
        self._clock = clock

    async def clean(self, known: AbstractSet[str]) -> None:
        """Remove all that belongs to pods whose uid is not known, however often it takes."""
        while True:
            try:
                await self._remove_sandboxes(known)
                await self._remove_directories(known)
                await asyncio.to_thread(self._remove_logs, known)
                self._cgroups.remove_strangers(set(known))
            except (CriError, OSError) as error:
                log.warning("Could not remove what belongs to no pod", err=str(error))
                await self._clock.sleep(_PAUSE)
            else:
                return

    async def _remove_sandboxes(self, known: AbstractSet[str]) -> None:
        strangers: list[Sandbox] = [sandbox for sandbox in await self._cri.sandboxes() if sandbox.uid not in known]
        for sandbox in strangers:
            pod = f"{sandbox.namespace}/{sandbox.name}"
            log.info("Removing a pod that is no longer known", pod=pod, uid=sandbox.uid)
            for container in await self._cri.containers(sandbox.uid):
                grace = container.annotations.get(GRACE, "")
                await self._cri.stop_container(container.id, float(grace) if grace.isdigit() else _GRACE)
            await self._cri.stop_sandbox(sandbox.id)
            await self._cri.remove_sandbox(sandbox.id)

    async def _remove_directories(self, known: AbstractSet[str]) -> None:
        if self._layout.pods.is_dir():
            for directory in sorted(self._layout.pods.iterdir()):
                if directory.name not in known:
                    try:
                        await self._volumes.tear_down(directory.name)
                    except VolumeError as error:
                        # It stays, with its record. Pods that live shall not wait for it.
                        log.warning("Could not take volumes away", uid=directory.name, err=str(error))

    def _remove_logs(self, known: AbstractSet[str]) -> None:
        if self._layout.logs.is_dir():
            for directory in self._layout.logs.iterdir():
                if directory.name.rpartition("_")[2] not in known:
                    self._mounter.remove_tree(directory)
