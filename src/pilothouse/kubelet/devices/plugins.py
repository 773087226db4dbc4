"""The device plugins of a node: each has a connection over which it tells of its devices, for as long as it lives.

Who registers anew takes the place of whoever had the resource; its devices stay what they were until it tells.
Upstream: pkg/kubelet/cm/devicemanager/plugin/v1beta1.
"""

from collections.abc import Callable, Collection
from pathlib import Path

from pilothouse.api.core.pod.validation.requirements import is_extended
from pilothouse.kubelet.devices.endpoint import Endpoint
from pilothouse.kubelet.devices.stock import Stock
from pilothouse.kubelet.devices.table import VERSION
from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

log = Log(__name__)


class DevicePlugins:
    """Keeps the stock. `on_change` is called when that has changed, `on_health` when devices of it are ill or well."""

    def __init__(
        self, stock: Stock, clock: Clock, tasks: Tasks, on_change: Callable[[], None],
        on_health: Callable[[str, Collection[str]], None],
    ) -> None:  # fmt: skip
        self._stock = stock
        self._clock = clock
        self._tasks = tasks
        self._on_change = on_change
        self._on_health = on_health
        self._endpoints: dict[str, Endpoint] = {}

    def endpoint(self, resource: str) -> Endpoint | None:
        """The plugin that has a resource, or had it."""
        return self._endpoints.get(resource)

    async def connect(self, resource: str, socket: Path) -> None:
        """Work with this plugin from now on. Raises PluginError; then it is not there."""
        endpoint = Endpoint(resource, socket, self._clock)
        try:
            await endpoint.open()
        except BaseException:
            await endpoint.close()
            raise
        before, self._endpoints[resource] = self._endpoints.get(resource), endpoint
        self._stock.found(resource)
        if before is not None:
            await before.close()
        log.info("Connected to a device plugin", resource=resource, socket=str(socket))
        self._tasks.spawn(self._listen(endpoint), name=f"devices {resource}")

    async def disconnect(self, resource: str, socket: Path) -> None:
        """The plugin behind this socket is gone, unless another one has its resource by now."""
        endpoint = self._endpoints.get(resource)
        if endpoint is not None and endpoint.socket == socket and not endpoint.stopped:
            self._lose(endpoint)
            await endpoint.close()

    async def close(self) -> None:
        """Talk to none any more."""
        for endpoint in list(self._endpoints.values()):
            endpoint.stopped = True
            await endpoint.close()

    async def _listen(self, endpoint: Endpoint) -> None:
        why = "it said nothing more"
        try:
            async for devices in endpoint.lists():
                if self._endpoints.get(endpoint.resource) is endpoint:
                    changed = self._stock.listed(endpoint.resource, devices)
                    self._on_change()
                    if changed:
                        self._on_health(endpoint.resource, changed)
        except PluginError as error:
            why = str(error)
        finally:
            await endpoint.close()
        if self._endpoints.get(endpoint.resource) is endpoint and not endpoint.stopped:
            log.error("listAndWatch ended unexpectedly for device plugin", resource=endpoint.resource, err=why)
            self._lose(endpoint)

    def _lose(self, endpoint: Endpoint) -> None:
        endpoint.stopped = True
        self._stock.lost(endpoint.resource, self._clock.monotonic())
        self._on_change()


def require_resource(name: str) -> None:
    """Raises PluginError unless plugins may have a resource called so."""
    if not is_extended(name):
        raise PluginError(f'the ResourceName "{name}" is invalid')


def require_version(version: str) -> None:
    """Raises PluginError unless it is ours."""
    if version != VERSION:
        raise PluginError(
            f'requested API version "{version}" is not supported by kubelet. Supported version is ["{VERSION}"]'
        )
