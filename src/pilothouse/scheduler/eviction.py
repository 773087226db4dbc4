"""Eviction: removing the pods that have to make room, after it was decided who.

A victim first gets the condition DisruptionTarget, so that Jobs do not count its end as a failure; then it is deleted,
with its own grace period. Upstream: pkg/scheduler/framework/preemption, KEP-3329, KEP-4832 (the queue is not held up).
"""

from pilothouse.api.machinery.errors import Conflict, NotFound, StatusError
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.client import Client
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.scheduler.framework import Room
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.scheduler.reports import Reports, plan_condition

log = Log(__name__)


class Eviction:
    """Removes victims."""

    def __init__(self, client: Client, clock: Clock, reports: Reports, nodes: Nodes) -> None:
        self._client = client
        self._clock = clock
        self._reports = reports
        self._nodes = nodes

    async def make(self, pod: PodInfo, room: Room) -> bool:
        """Remove all victims; False when one could not be removed, so that the pod must look again."""
        try:
            for other in self._losing_claims(pod, room.node or ""):
                self._nodes.nominate(other, "")
                await self._reports.write(other.pod, {"nominatedNodeName": None})
            for victim in room.victims:
                if victim.pod.metadata.deletionTimestamp is None:
                    await self._evict(pod, victim.pod, room.node or "")
        except (StatusError, OSError, TimeoutError) as error:
            log.info("Error occurred during preemption", preemptor=str(pod.key), node=room.node, err=str(error))
            return False
        return True

    def _losing_claims(self, pod: PodInfo, node: str) -> list[PodInfo]:
        """Less important pods that count on the same room: they should look elsewhere."""
        return [one for one in self._nodes.nominations.get(node, {}).values() if one.priority < pod.priority]

    async def _evict(self, pod: PodInfo, victim: Pod, node: str) -> None:
        message = f"{pod.pod.spec.schedulerName}: preempting to accommodate a higher priority pod"
        told = plan_condition(victim, "DisruptionTarget", "True", "PreemptionByScheduler", message, self._clock.now())
        meta = victim.metadata
        try:
            if told is not None:
                await self._reports.write(victim, {"conditions": [told]})
            await self._client.delete(Pod, meta.name, meta.namespace, uid=meta.uid)
        except NotFound:
            return
        except Conflict:  # another pod has the name now
            return
        self._reports.preempted(victim, pod.uid, node)
