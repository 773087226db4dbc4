"""/metrics: what the kubelet has counted, how its node is, and how full the volumes of claims are."""

from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.server.exposition import page
from pilothouse.kubelet.server.log_metrics import log_family
from pilothouse.kubelet.server.page import Page
from pilothouse.kubelet.server.question import Question
from pilothouse.kubelet.server.volume_metrics import volume_families
from pilothouse.net.http import Response
from pilothouse.runtime.log import Log
from pilothouse.runtime.metrics import CONTENT_TYPE

log = Log(__name__)


class OwnMetrics(Page):
    """In Prometheus' words."""

    paths = ("metrics",)

    async def answer(self, question: Question) -> Response:  # noqa: ARG002 - it says the same to all
        """All of them."""
        try:
            uses = await self._around.stats.pods()
        except (CriError, OSError) as error:
            # All else can be told without the runtime and the groups, and it is now that somebody wants to know.
            log.error("Failed to get pod stats", err=str(error))
            uses = ()
        volumes = volume_families(self._around.pods(), self._around.stats.volumes.of)
        return Response(
            200,
            self._around.metrics.page() + page([*self._around.told(), *volumes, log_family(uses)]),
            content_type=CONTENT_TYPE,
        )
