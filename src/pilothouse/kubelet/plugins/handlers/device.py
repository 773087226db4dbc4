"""Device plugins that show themselves below `plugins_registry`. Messages are those of upstream's handler.go."""

from collections.abc import Sequence
from pathlib import Path

from pilothouse.kubelet.devices.plugins import DevicePlugins, require_resource
from pilothouse.kubelet.devices.table import VERSION
from pilothouse.kubelet.plugins.registration import PluginHandler
from pilothouse.kubelet.plugins.unix_client import PluginError


class DeviceHandler(PluginHandler):
    """The plugin's name is that of its resource."""

    kind = "DevicePlugin"

    @property
    def _plugins(self) -> DevicePlugins:
        devices = self.node.services.devices
        if devices is None:
            raise PluginError("this node hands out no devices")
        return devices.plugins

    async def validate(self, name: str, endpoint: str, versions: Sequence[str]) -> None:  # noqa: ARG002 - any place
        """It must speak our version, of a resource that is not Kubernetes' own."""
        if VERSION not in versions:
            listed = " ".join(versions)
            raise PluginError(f"manager version, {VERSION}, is not among plugin supported versions [{listed}]")
        try:
            require_resource(name)
        except PluginError as error:
            raise PluginError(f"invalid name of device plugin socket: {error}") from error

    async def register(self, name: str, endpoint: str, versions: Sequence[str]) -> None:  # noqa: ARG002 - checked
        """Hear of its devices from now on."""
        await self._plugins.connect(name, Path(endpoint))

    async def deregister(self, name: str, endpoint: str) -> None:
        """Its devices are no longer well."""
        await self._plugins.disconnect(name, Path(endpoint))
