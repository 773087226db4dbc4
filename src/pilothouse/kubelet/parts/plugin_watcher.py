"""Has plugins taken in that show themselves below `plugins_registry`."""

from pilothouse.kubelet.csi.metrics import csi_metrics
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.kubelet.plugins.registration import all_handlers
from pilothouse.kubelet.plugins.watcher import PluginWatcher


class Plugins(Part):
    """Runs the watcher."""

    name = "plugin watcher"

    async def run(self, node: NodeContext) -> None:
        """Look for ever."""
        if (storage := node.services.storage) is not None:
            storage.drivers.observe = csi_metrics(node.metrics)
        directory = node.config.root / "plugins_registry"
        try:
            await PluginWatcher(directory, all_handlers(node), node.services.clock, node.tasks).run()
        finally:
            if storage is not None:
                await storage.drivers.close()
