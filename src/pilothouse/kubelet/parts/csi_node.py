"""Has the node's CSINode there from the start: the scheduler takes it that a node without one knows no drivers yet."""

from pilothouse.api.machinery.errors import StatusError
from pilothouse.kubelet.csi.node_info import NodeInfo
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.log import Log

log = Log(__name__)
_RETRY = Growth(first=0.2, limit=30.0)


class CsiNodeObject(Part):
    """Makes it once."""

    name = "CSINode"

    async def run(self, node: NodeContext) -> None:
        """Try until it is there."""
        backoff, info = Backoff(_RETRY), NodeInfo(node.client, node.config.node_name)
        while True:
            try:
                await info.ensure()
            except (StatusError, OSError, TimeoutError) as error:
                log.warning("Failed to initialize CSINode", err=str(error))
                await node.services.clock.sleep(backoff.next())
            else:
                return
