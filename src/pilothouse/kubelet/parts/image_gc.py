"""Has unused images removed, again and again. One failure may be chance; of several in a row users are told."""

from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.images.image_gc import ImageGcError
from pilothouse.kubelet.part import NodeContext, Part
from pilothouse.runtime.log import Log

log = Log(__name__)
PERIOD = 300.0
"""Seconds between two rounds."""


class ImageCollection(Part):
    """Looks even where nothing is ever removed: an eviction wants to know what was used when."""

    name = "image collection"

    async def run(self, node: NodeContext) -> None:
        """Look, and remove."""
        gc, services = node.services.image_gc, node.services
        failed = False
        await node.sources.complete()
        while True:
            pods = list(node.workers.pods().values())
            try:
                await services.images.review()
                await (gc.collect(pods) if node.config.image_policy.collects else gc.look(pods))
                failed = False
            except (CriError, ImageGcError, OSError) as error:
                log.error("Image garbage collection failed", err=str(error))
                if failed:
                    about = {"kind": "Node", "name": node.config.node_name, "uid": node.config.node_name}
                    services.recorder.event(about, "Warning", "ImageGCFailed", str(error))
                failed = True
            await services.clock.sleep(PERIOD)
