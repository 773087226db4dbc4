"""The end of a pod: its containers are ended, how they ended is told, and where it is being deleted, every trace goes.

A pod that is over but not deleted keeps its containers, for whoever wants their logs, and nothing that costs others.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

from pilothouse.api.machinery.errors import Conflict, NotFound
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.containers import describe
from pilothouse.kubelet.log_links import LogLinks
from pilothouse.kubelet.node_services import NodeServices
from pilothouse.kubelet.observed import ObservedPod
from pilothouse.kubelet.pod_memory import PodMemory
from pilothouse.kubelet.pod_reporter import PodReporter
from pilothouse.kubelet.runtime_config import grace_period
from pilothouse.runtime.clock import Instant
from pilothouse.runtime.log import Log

log = Log(__name__)
_BUSY = 0.1
"""Seconds until a control group that could not be removed is tried again."""
_LATER = 1.0
"""The same for one that nobody waits for."""


class PodFinish:
    """Of all pods; keeps nothing between calls."""

    def __init__(self, node: NodeServices, reporter: PodReporter) -> None:
        self._node = node
        self._reporter = reporter

    async def run(self, memory: PodMemory) -> Instant | None:
        """End what runs, report how it ended, and let the pod go where it is being deleted. Raises KillError."""
        node, uid = self._node, memory.pod.metadata.uid
        observed = await self._reporter.observe(memory)
        await self._end(memory, observed)
        node.prober.forget(uid)
        if node.dynamic_resources is not None:
            # Before anybody hears that the pod is over: its claims may go to others then.
            await node.dynamic_resources.unprepare(uid)
        memory.stopped.set()
        node.allocations.release(uid)
        self._reporter.report(memory, await self._reporter.observe(memory), over=True)
        if not memory.deleted:
            await node.volumes.tear_down_volumes(uid)
            return None if self._without_group(memory) else node.clock.now() + _LATER
        await node.writer.flush(uid)
        return await self._let_go(memory)

    async def _end(self, memory: PodMemory, observed: ObservedPod) -> None:
        """End all that runs. A pod that is being deleted goes on telling whether it is ready. Raises KillError."""
        pod, prober, report = memory.pod, self._node.prober, self._reporter.report
        uid, boxes = pod.metadata.uid, [sandbox.id for sandbox in observed.sandboxes if sandbox.ready]
        if not observed.running():
            await self._node.ender.end_all(pod, (), 0, "", boxes)
            return
        prober.retire(uid, lambda: report(memory, replace(observed, health=prober.health(uid))))
        grace = float(grace_period(pod)) if memory.grace is None else memory.grace
        if memory.deleted:
            report(memory, observed)
        await self._node.ender.end_all(pod, observed.running(), grace, self._reporter.address(pod, observed), boxes)

    def _remove_logs(self, pod: Pod, logs: Path) -> None:
        self._node.mounter.remove_tree(logs)
        LogLinks(self._node.facts.layout.log_links).forget_all(pod, logs)

    def _without_group(self, memory: PodMemory) -> bool:
        """Remove its control group, which weighs as much as it was granted; False: something holds it."""
        return self._node.cgroups.remove(self._node.allocations.applied(memory.pod))

    async def _let_go(self, memory: PodMemory) -> Instant | None:
        """Remove every trace of the pod from the node, then from the API."""
        node, pod = self._node, memory.pod
        uid = pod.metadata.uid
        for sandbox in await node.cri.sandboxes(uid):
            await node.cri.stop_sandbox(sandbox.id)
            await node.cri.remove_sandbox(sandbox.id)
        logs = node.facts.layout.pod_logs(pod.metadata.namespace, pod.metadata.name, uid)
        await node.volumes.tear_down(uid)
        await asyncio.to_thread(self._remove_logs, pod, logs)
        if not self._without_group(memory):
            return node.clock.now() + _BUSY
        node.images.forget(uid)
        if not memory.removed:
            try:
                await node.pods.delete(pod)
            except (NotFound, Conflict):
                log.debug("Pod was deleted meanwhile", pod=describe(pod))
        node.writer.forget(uid)
        node.allocations.forget(uid)
        memory.gone = True
        return None
