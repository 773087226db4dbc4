"""Takes away the node's ResourceSlices of drivers that nobody is there for: pods would be sent here, and get stuck.

All go when the kubelet starts, for no driver has registered by then; those that are back tell anew. Later a driver has
half a minute to come back. Upstream: pkg/kubelet/cm/dra/plugin/dra_plugin_manager.go.
"""

import asyncio

from pilothouse.api.machinery.errors import NotFound, StatusError
from pilothouse.api.types.resource_v1 import ResourceSlice
from pilothouse.client.client import Client
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

log = Log(__name__)
DELAY = 30.0
"""Seconds that a driver may be away."""
_RETRY = Growth(first=1.0, limit=300.0, jitter=0.2)


class SliceWiper:
    """Of one node."""

    def __init__(self, client: Client, node_name: str, clock: Clock, chance: Chance, tasks: Tasks) -> None:
        self._client = client
        self._node_name = node_name
        self._clock = clock
        self._chance = chance
        self._tasks = tasks
        self._due: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Begin with those of all drivers."""
        self._tasks.spawn(self._wipe(""), name="ResourceSlices")

    def changed(self, driver: str, usable: bool) -> None:
        """A driver is there, or nobody is there for it."""
        due = self._due.get(driver)
        if usable and due is not None:
            del self._due[driver]
            due.cancel()
        elif not usable and (due is None or due.done()):
            self._due[driver] = self._tasks.spawn(self._wipe_later(driver), name=f"ResourceSlices of {driver}")

    async def _wipe_later(self, driver: str) -> None:
        await self._clock.sleep(DELAY)
        await self._wipe(driver)

    async def _wipe(self, driver: str) -> None:
        """Try until they are gone."""
        backoff = Backoff(_RETRY, self._chance)
        fields = f"spec.nodeName={self._node_name}" + (f",spec.driver={driver}" if driver else "")
        while True:
            try:
                await self._client.delete_collection(ResourceSlice, fields=fields)
            except NotFound:
                return
            except (StatusError, OSError, TimeoutError) as error:
                log.debug("Deleting ResourceSlice failed, retrying", fields=fields, err=str(error))
                await self._clock.sleep(backoff.next())
            else:
                return
