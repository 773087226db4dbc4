"""Tells of processes that the kernel ended because the machine was out of memory, and counts those of containers.

What the kernel still remembers from before is told, too: it may have happened while no kubelet ran. Upstream:
pkg/kubelet/oom.
"""

from pathlib import Path

from pilothouse.kubelet.oom_kills import WHOLE, OomKill, OomReader
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.linux.kernel_messages import DEVICE, KernelMessages
from pilothouse.runtime.log import Log

log = Log(__name__)
PERIOD = 1.0
"""Seconds between two looks. The kernel keeps what it says for a while."""


class OomWatcher(Part):
    """Nothing where the kernel's messages may not be read."""

    name = "oom watcher"

    def __init__(self, device: Path = DEVICE) -> None:
        self._device = device

    async def run(self, node: NodeContext) -> None:
        """Listen."""
        try:
            with KernelMessages(self._device) as messages:
                await _listen(messages, node)
        except OSError as error:
            log.warning("Not hearing of processes that the kernel ends for want of memory", err=str(error))


async def _listen(messages: KernelMessages, node: NodeContext) -> None:
    reader = OomReader()
    while True:
        found = messages.read()
        for message in found or ():
            if (kill := reader.hear(message)) is not None:
                _tell(kill, node)
        # There may be thousands of old ones: others are to have their turn, too.
        await node.services.clock.sleep(PERIOD if found is None else 0)


def _tell(kill: OomKill, node: NodeContext) -> None:
    node.stats.oom_kills.count(kill.group)
    if kill.limited == WHOLE:
        name = node.config.node_name
        about = {"kind": "Node", "name": name, "uid": name}
        text = f"System OOM encountered, victim process: {kill.process}, pid: {kill.pid}"
        node.services.recorder.event(about, "Warning", "SystemOOM", text)
