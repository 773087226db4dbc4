"""Has changes of pods' resources that wait for room looked at again."""

from pilothouse.kubelet.part import NodeContext, Part


class Resizes(Part):
    """They are looked at with every new change too."""

    name = "pending resizes"

    async def run(self, node: NodeContext) -> None:
        """Look again and again."""
        await node.services.allocations.retry()
