"""Tells which volumes must stay attached to the node, in the node's status, as soon as that changes.

The attach-detach controller detaches none of them, and the node mounts none before it has told. Upstream:
VolumesInUse in pkg/kubelet/nodestatus/setters.go, which tells with the next status, up to ten seconds later.
"""

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.types.core_v1 import Node
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.runtime.log import Log

log = Log(__name__)
_RETRY = 1.0


class VolumesInUse(Part):
    """Speaks of volumes alone; the rest of the status is the agent's."""

    name = "volumes in use"

    async def run(self, node: NodeContext) -> None:
        """Tell for ever."""
        if node.services.storage is None:
            return
        users, told = node.services.storage.users, None
        while True:
            users.changed.clear()
            wanted = users.attachable()
            if wanted != told:
                try:
                    await _tell(node, wanted)
                except (StatusError, OSError, TimeoutError) as error:
                    log.warning("Unable to tell of volumes in use", err=str(error))
                    await node.services.clock.sleep(_RETRY)
                    continue
                told = wanted
            await users.changed.wait()


async def _tell(node: NodeContext, wanted: list[str]) -> None:
    name = node.config.node_name
    present = (await node.client.get(Node, name)).status.volumesInUse
    if sorted(present) != wanted:
        await node.client.patch(Node, name, "", {"status": {"volumesInUse": wanted}}, subresource="status")
