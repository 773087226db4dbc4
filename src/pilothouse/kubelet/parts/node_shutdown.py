"""Ends the node's pods before its machine is shut down, where the machine waits for that: with systemd-logind."""

import asyncio
from pathlib import Path

from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.kubelet.shutdown.record import ShutdownRecord
from pilothouse.kubelet.shutdown.shutdown import DelayError, GracefulShutdown, Surroundings
from pilothouse.kubelet.volume_record import VolumeRecords
from pilothouse.runtime.log import Log

log = Log(__name__)
RECONNECT = 1.0
"""Seconds until a bus that hung up is called again."""
_TEXT = "[ALPHA] Last graceful shutdown start time since unix epoch in seconds"


class NodeShutdown(Part):
    """Off where nothing is configured, and where there is no logind when the kubelet begins."""

    name = "node shutdown"
    early = True  # a machine is shut down whether there is an API server or not

    def __init__(self, bus: Path | None = None, drop_ins: Path | None = None) -> None:
        """Where the bus listens, and where logind's configuration is added to; None: where they are by standard."""
        self._places = {name: place for name, place in (("path", bus), ("drop_ins", drop_ins)) if place is not None}

    async def run(self, node: NodeContext) -> None:
        """Hold up shutdowns."""
        around = surroundings(node)
        if not node.config.shutdown.periods:
            return
        # Whoever does not want it does not pay for the library.
        from pilothouse.linux.logind import logind
        from pilothouse.linux.system_bus import BusError

        shutdown, began = GracefulShutdown(node.config.shutdown, around), False
        while True:
            try:
                async with logind(node.services.clock, **self._places) as login:
                    await shutdown.prepare(login)
                    if not began:
                        began = True
                        await _tell_of_the_last(node, around)
                    await shutdown.watch(login)
            except (BusError, DelayError, OSError) as error:
                if not began:
                    log.error("Failed to start node shutdown manager", error=error)
                    return
                log.warning("Unable to watch the node for shutdown events", err=str(error))
            await node.services.clock.sleep(RECONNECT)


def surroundings(node: NodeContext) -> Surroundings:
    """What the shutdown of this node works with."""
    services, root = node.services, node.config.root
    records = VolumeRecords(services.facts.layout)

    async def has_volumes(uid: str) -> bool:
        return bool(await asyncio.to_thread(records.of_pod, uid))

    async def save(record: ShutdownRecord) -> None:
        try:
            await asyncio.to_thread(record.save, root)
        except OSError as error:
            log.error("Failed to store graceful shutdown state", error=error)

    return Surroundings(
        node=node.workers, has_volumes=has_volumes, recorder=services.recorder, clock=services.clock,
        name=node.config.node_name, tell=node.agent.shut_down, save=save,
        began=node.metrics.gauge("kubelet_graceful_shutdown_start_time_seconds", _TEXT),
        ended=node.metrics.gauge("kubelet_graceful_shutdown_end_time_seconds", _TEXT),
    )  # fmt: skip


async def _tell_of_the_last(node: NodeContext, around: Surroundings) -> None:
    try:
        last = await asyncio.to_thread(ShutdownRecord.load, node.config.root)
    except (OSError, ValueError) as error:
        log.error("Failed to load graceful shutdown state", error=error)
        return
    around.began.set(int(last.began))
    around.ended.set(int(last.ended))
