"""/metrics: the kubelet's own."""

from pilothouse.kubelet.server.page import Page
from pilothouse.kubelet.server.question import Question
from pilothouse.net.http import Response
from pilothouse.runtime.metrics import CONTENT_TYPE


class OwnMetrics(Page):
    """In Prometheus' words."""

    paths = ("metrics",)

    async def answer(self, question: Question) -> Response:  # noqa: ARG002 - it says the same to all
        """All of them."""
        return Response(200, self._around.metrics.page(), content_type=CONTENT_TYPE)
