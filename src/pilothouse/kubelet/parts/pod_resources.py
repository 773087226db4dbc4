"""Tells whoever asks on a socket of the node which containers have which devices, processors and memory."""

import asyncio
from collections.abc import Iterator

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.counts.plugin_counts import PodResourcesCounts
from pilothouse.kubelet.dra.assigned_claims import AssignedClaims
from pilothouse.kubelet.managers.assigned_cpus import AssignedCpus
from pilothouse.kubelet.managers.assigned_memory import AssignedMemory
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.kubelet.plugins.unix_server import serve_unix
from pilothouse.kubelet.pod_resources import BURST, RATE, SOCKET, Assigned, PodResources
from pilothouse.runtime.log import Log
from pilothouse.runtime.rate_limit import TokenBucket

log = Log(__name__)
RETRY = 1.0
"""Seconds until a socket that could not be made is tried again."""


class PodResourcesApi(Part):
    """Serves it."""

    name = "pod resources"

    async def run(self, node: NodeContext) -> None:
        """For ever."""
        services, clock = node.services, node.services.clock
        counts = PodResourcesCounts(node.metrics)

        def active() -> Iterator[Pod]:
            newest = (services.writer.newest(pod) for pod in node.workers.pods().values())
            return (pod for pod in newest if pod.status.phase not in ("Succeeded", "Failed"))

        assigned: list[Assigned] = [services.devices] if services.devices is not None else []
        if services.cpus is not None:
            assigned.append(AssignedCpus(services.cpus))
        if services.memory is not None:
            assigned.append(AssignedMemory(services.memory))
        if services.dynamic_resources is not None:
            assigned.append(AssignedClaims(services.dynamic_resources, node.workers.pods))
        answers = PodResources(
            lambda: node.workers.pods().values(), active, assigned, TokenBucket(RATE, BURST, clock), counts
        )
        while True:
            try:
                async with serve_unix(node.config.root / "pod-resources" / SOCKET, answers.handlers(), clock):
                    await asyncio.Event().wait()
            except OSError as error:
                log.error("Failed to serve pod resources", err=str(error))
            await clock.sleep(RETRY)
