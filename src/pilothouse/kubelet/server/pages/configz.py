"""/configz: the configuration that this kubelet runs with, as a KubeletConfiguration.

Only what there is in ours, and what somebody has set; secrets are no part of it. Source:
staging/src/k8s.io/component-base/configz.
"""

import orjson

from pilothouse.kubelet.configuration.mapping import wire
from pilothouse.kubelet.server.page import Page
from pilothouse.kubelet.server.question import Question
from pilothouse.net.http import Response


class Configz(Page):
    """In JSON."""

    paths = ("configz",)

    async def answer(self, question: Question) -> Response:  # noqa: ARG002 - it says the same to all
        """The document."""
        return Response(200, orjson.dumps({"kubeletconfig": wire(self._around.config)}))
