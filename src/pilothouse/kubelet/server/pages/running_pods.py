"""/runningpods/: what the runtime says runs."""

from pilothouse.kubelet.server.page import Page
from pilothouse.kubelet.server.pod_lists import running_pods
from pilothouse.kubelet.server.question import Question
from pilothouse.net.http import Response


class RunningPods(Page):
    """As a PodList."""

    paths = ("runningpods",)
    methods = ("GET",)

    async def answer(self, question: Question) -> Response:  # noqa: ARG002 - it says the same to all
        """All of them."""
        return await running_pods(self._around.cri)
