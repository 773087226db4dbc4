"""CSI drivers. Upstream: RegistrationHandler in pkg/volume/csi/csi_plugin.go; the messages are its."""

from collections.abc import Sequence

from pilothouse.kubelet.csi.node_info import NodeInfo
from pilothouse.kubelet.part import NodeContext
from pilothouse.kubelet.plugins.registration import PluginHandler
from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.kubelet.storage import Storage

_OURS = "1"
"""The major version of CSI that the node speaks."""


class CsiHandler(PluginHandler):
    """Makes a driver known on the node, and to the cluster."""

    kind = "CSIPlugin"

    def __init__(self, node: NodeContext) -> None:
        super().__init__(node)
        self._info = NodeInfo(node.client, node.config.node_name)

    @property
    def _storage(self) -> Storage:
        storage = self.node.services.storage
        if storage is None:
            raise PluginError("this node offers no persistent volumes")
        return storage

    async def validate(self, name: str, endpoint: str, versions: Sequence[str]) -> None:
        """It must speak our version of CSI."""
        if any(_major(version) == _OURS for version in versions):
            return
        listed = " ".join(f'"{version}"' for version in versions)
        why = f"None of the versions specified [{listed}] are supported"
        if not versions:
            why = "Plugin returned an empty list for supported versions"
        raise PluginError(
            f"validation failed for CSI Driver {name} at endpoint {endpoint}: kubernetes.io/csi: "
            f'ValidatePlugin for CSI driver "{name}" failed. {why}'
        )

    async def register(self, name: str, endpoint: str, versions: Sequence[str]) -> None:  # noqa: ARG002 - checked
        """Ask what it says of the node, and tell the cluster."""
        drivers = self._storage.drivers
        client = await drivers.add(name, endpoint)
        try:
            await self._info.install(name, await client.info())
        except BaseException:
            await drivers.remove(name, endpoint)
            raise

    async def deregister(self, name: str, endpoint: str) -> None:
        """Forget it, unless it came back under another socket."""
        if await self._storage.drivers.remove(name, endpoint):
            await self._info.uninstall(name)


def _major(version: str) -> str:
    return version.lstrip("v").partition(".")[0]
