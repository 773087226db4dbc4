"""Has claims given back of pods that nobody knows any more, and the node offer nothing whose driver is away."""

from pilothouse.kubelet.cri.interface import ContainerState, CriError
from pilothouse.kubelet.dra.metrics import measure
from pilothouse.kubelet.dra.slices import SliceWiper
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.runtime.log import Log

log = Log(__name__)
PERIOD = 60.0
"""Seconds between two looks."""


class DynamicResourcesPart(Part):
    """Looks again and again."""

    name = "dynamic resources"

    async def run(self, node: NodeContext) -> None:
        """For ever."""
        services = node.services
        resources, clock, cri = services.dynamic_resources, services.clock, services.cri
        if resources is None:
            return
        measure(resources, node.metrics)
        wiper = SliceWiper(node.client, node.config.node_name, clock, node.chance, node.tasks)
        resources.plugins.on_change = wiper.changed
        resources.on_health = node.workers.poke
        wiper.start()

        async def ended(uid: str) -> bool:
            return not any(run.state is ContainerState.RUNNING for run in await cri.containers(uid))

        try:
            await node.sources.complete()
            while True:
                try:
                    await resources.give_back(node.workers.pods(), ended)
                except CriError as error:
                    log.warning("Failed to look for claims of pods that are gone", err=str(error))
                await clock.sleep(PERIOD)
        finally:
            await resources.plugins.close()
