"""/metrics/probes: how often containers were probed, and how long it took.

Source: pkg/kubelet/server/server.go; pkg/kubelet/prober.
"""

from pilothouse.kubelet.server.page import Page
from pilothouse.kubelet.server.question import Question
from pilothouse.net.http import Response
from pilothouse.runtime.metrics import CONTENT_TYPE


class ProbeMetrics(Page):
    """In Prometheus' words."""

    paths = ("metrics/probes",)

    async def answer(self, question: Question) -> Response:  # noqa: ARG002 - it says the same to all
        """All of them."""
        return Response(200, self._around.probe_metrics.page(), content_type=CONTENT_TYPE)
