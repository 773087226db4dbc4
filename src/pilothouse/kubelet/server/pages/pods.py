"""/pods: what the kubelet is to run."""

from pilothouse.kubelet.server.page import Page
from pilothouse.kubelet.server.pod_lists import wanted_pods
from pilothouse.kubelet.server.question import Question
from pilothouse.net.http import Response


class WantedPods(Page):
    """As a PodList."""

    paths = ("pods",)
    methods = ("GET",)

    async def answer(self, question: Question) -> Response:  # noqa: ARG002 - it says the same to all
        """All of them."""
        return wanted_pods(self._around.pods)
