"""/metrics: what the kubelet has counted, how its node is, and how full the volumes of claims are."""

from pilothouse.kubelet.server.exposition import page
from pilothouse.kubelet.server.page import Page
from pilothouse.kubelet.server.question import Question
from pilothouse.kubelet.server.volume_metrics import volume_families
from pilothouse.net.http import Response
from pilothouse.runtime.metrics import CONTENT_TYPE


class OwnMetrics(Page):
    """In Prometheus' words."""

    paths = ("metrics",)

    async def answer(self, question: Question) -> Response:  # noqa: ARG002 - it says the same to all
        """All of them."""
        volumes = volume_families(self._around.pods(), self._around.stats.volumes.of)
        return Response(
            200, self._around.metrics.page() + page([*self._around.told(), *volumes]), content_type=CONTENT_TYPE
        )
