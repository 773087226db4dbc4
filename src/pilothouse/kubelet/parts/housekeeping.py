"""Sweeps the node, from the kubelet's start on."""

from pilothouse.kubelet.counts.orphan_counts import OrphanCounts
from pilothouse.kubelet.housekeeping import Housekeeping
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.runtime.backoff import Backoff, Growth

PERIOD = 60.0
"""Seconds between two sweeps, as upstream has between two collections of dead containers."""
_AGAIN = Growth(first=2.0, limit=PERIOD)
"""After a sweep that left something: a driver may not have come yet."""


class Sweeps(Part):
    """Removes what belongs to no pod of this node."""

    name = "housekeeping"

    async def run(self, node: NodeContext) -> None:
        """Sweep again and again."""
        services, again = node.services, Backoff(_AGAIN)
        keeper = Housekeeping(
            services.cri, services.volumes, services.cgroups, services.mounter, services.facts.layout,
            OrphanCounts(node.metrics),
        )  # fmt: skip
        await node.sources.complete()
        while True:
            wait = PERIOD
            if await keeper.sweep(node.workers.pods):
                again.reset()
            else:
                wait = again.next()
            await services.clock.sleep(wait)
