"""Containers of pods that are over: what they wrote goes, and with it whatever their logs would have told.

Source: pkg/kubelet/container/container_gc.go, DeleteAllUnusedContainers.
"""

import asyncio

from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.eviction.reclaimer import Reclaimer
from pilothouse.kubelet.log_links import LogLinks


class DeadContainers(Reclaimer):
    """Those of pods that may still run stay: they tell why they ended."""

    rank = 10

    async def reclaim(self) -> None:
        """Remove all containers that have ended and will not run again."""
        cri, running = self._services.cri, {pod.metadata.uid for pod in self._workers.placed()}
        known, links = self._workers.pods(), LogLinks(self._services.facts.layout.log_links)
        over = {uid for uid, pod in known.items() if uid not in running and pod.status.phase in ("Succeeded", "Failed")}
        owners = {box.id: box.uid for box in await cri.sandboxes()}
        for run in await cri.containers():
            if run.state is ContainerState.EXITED and owners.get(run.sandbox_id) in over:
                await asyncio.to_thread(links.forget, run)
                await cri.remove_container(run.id)
