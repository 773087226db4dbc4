"""Asks CSI drivers now and then how many volumes the node may have, where they say that this changes. KEP-4876."""

from pilothouse.api.machinery.errors import StatusError
from pilothouse.kubelet.csi.client import CsiError
from pilothouse.kubelet.csi.node_info import NodeInfo
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.kubelet.storage import Storage
from pilothouse.runtime.log import Log

log = Log(__name__)
PERIOD = 10.0
"""Seconds between two looks: the least that a driver may ask for."""


class CsiLimits(Part):
    """Each driver in its own time."""

    name = "CSI limits"

    async def run(self, node: NodeContext) -> None:
        """Ask for ever."""
        storage, clock = node.services.storage, node.services.clock
        if storage is None:
            return
        info, asked = NodeInfo(node.client, node.config.node_name), dict[str, float]()
        while True:
            await clock.sleep(PERIOD)
            asked = {name: asked.get(name, clock.monotonic()) for name in storage.drivers.names()}
            for name, last in asked.items():
                if await _is_due(name, clock.monotonic() - last, storage):
                    asked[name] = clock.monotonic()
                    node.tasks.spawn(_ask(name, storage, info), name=f"limits of {name}")


async def _is_due(name: str, seconds: float, storage: Storage) -> bool:
    try:
        driver = await storage.objects.driver(name)
    except (StatusError, OSError):
        return False
    period = driver.spec.nodeAllocatableUpdatePeriodSeconds if driver is not None else None
    return period is not None and seconds >= max(period, PERIOD)


async def _ask(name: str, storage: Storage, info: NodeInfo) -> None:
    try:
        await info.install(name, await storage.drivers.client(name).info())
    except (CsiError, PluginError, StatusError, OSError) as error:
        log.warning("Could not learn how many volumes a driver allows", driver=name, err=str(error))
