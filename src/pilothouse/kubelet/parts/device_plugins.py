"""Has device plugins register, and the node tell of their devices."""

import asyncio

from pilothouse.kubelet.counts.plugin_counts import DeviceCounts
from pilothouse.kubelet.devices.register import SOCKET, clear, registration
from pilothouse.kubelet.devices.report import DeviceReport
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.kubelet.plugins.unix_server import serve_unix
from pilothouse.runtime.log import Log

log = Log(__name__)
RETRY = 1.0
"""Seconds until a socket that could not be made is tried again."""


class DeviceRegistration(Part):
    """Static pods may want devices too: so it begins at once."""

    name = "device plugins"
    early = True

    async def run(self, node: NodeContext) -> None:
        """Serve for ever."""
        devices, clock = node.services.devices, node.services.clock
        if devices is None:
            return
        node.agent.join(DeviceReport(devices))
        devices.on_change(node.agent.refresh)
        counts = DeviceCounts(node.metrics)
        devices.observe = counts.allocated
        handlers = registration(devices.directory, devices.plugins, counts.registered)
        devices.on_health(node.workers.poke)
        try:
            while True:
                try:
                    clear(devices.directory)
                    async with serve_unix(devices.directory / SOCKET, handlers, clock):
                        await asyncio.Event().wait()
                except OSError as error:
                    log.error("Failed to serve device plugin registration", err=str(error))
                await clock.sleep(RETRY)
        finally:
            await devices.plugins.close()
