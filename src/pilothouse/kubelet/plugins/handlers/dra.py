"""Drivers of dynamic resource allocation, which register under the driver's name with the gRPC services they serve."""

from collections.abc import Sequence

from pilothouse.kubelet.dra.plugins import DraPlugins
from pilothouse.kubelet.plugins.registration import PluginHandler
from pilothouse.kubelet.plugins.unix_client import PluginError


class DraHandler(PluginHandler):
    """A driver may register several times, each time with another socket: the newest is asked."""

    kind = "DRAPlugin"

    @property
    def _plugins(self) -> DraPlugins:
        resources = self.node.services.dynamic_resources
        if resources is None:
            raise PluginError("this node has no dynamic resources")
        return resources.plugins

    async def validate(self, name: str, endpoint: str, versions: Sequence[str]) -> None:
        """It must serve what we ask."""
        self._plugins.validate(name, endpoint, versions)

    async def register(self, name: str, endpoint: str, versions: Sequence[str]) -> None:
        """Ask it from now on."""
        self._plugins.add(name, endpoint, versions)

    async def deregister(self, name: str, endpoint: str) -> None:
        """Ask it no more."""
        await self._plugins.remove(name, endpoint)
