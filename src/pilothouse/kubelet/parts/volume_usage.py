"""Has the pods' volumes measured, again and again."""

from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.kubelet.volume_meter import PERIOD


class VolumeUsage(Part):
    """Not all nodes at the same time."""

    name = "volume usage"

    async def run(self, node: NodeContext) -> None:
        """Measure every minute or so."""
        while True:
            await node.stats.volumes.measure(node.workers.pods().values(), node.tasks)
            await node.services.clock.sleep(PERIOD * node.chance.uniform(1.0, 1.1))
