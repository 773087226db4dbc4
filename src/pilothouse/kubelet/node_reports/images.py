"""The images that the node has, for schedulers to prefer it for what it need not pull."""

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.node_report import NodeReport, ReportFacts
from pilothouse.kubelet.node_status import image_list
from pilothouse.runtime.log import Log

log = Log(__name__)


class Images(NodeReport):
    """None while the runtime does not say."""

    async def amend(self, status: JsonObject, facts: ReportFacts) -> None:
        """List the largest."""
        try:
            images = await facts.cri.images()
        except CriError as error:
            log.warning("Failed to list images", err=str(error))
            images = []
        status["images"] = image_list(images, facts.identity.reporting.max_images)
