"""Has the pods' statuses written to the API server."""

from pilothouse.kubelet.part import NodeContext, Part


class PodStatuses(Part):
    """Runs the writer that all workers speak to."""

    name = "pod statuses"
    early = True

    async def run(self, node: NodeContext) -> None:
        """Write what is put."""
        await node.services.writer.run()
