"""The pages of the kubelet's API, by path: what acts on containers is here, what only tells stands in `pages/`.

Unserved, and thus not found: /debug, /flagz, /statusz. Source: pkg/kubelet/server/server.go.
"""

from pilothouse.kubelet.log_file import Changes
from pilothouse.kubelet.server.container_logs import ContainerLogs
from pilothouse.kubelet.server.health import Check, health_page
from pilothouse.kubelet.server.joining import Joining
from pilothouse.kubelet.server.page import Page, PageContext
from pilothouse.kubelet.server.question import Question
from pilothouse.kubelet.server.streams import Streams
from pilothouse.kubelet.server.text import Refused, not_allowed, text
from pilothouse.net.http import Response
from pilothouse.runtime.units import subclasses

_READ = ("GET",)
_SESSION = ("GET", "POST")
_METHODS = {
    "containerLogs": _READ, "run": ("POST",), "exec": _SESSION, "attach": _SESSION, "portForward": _SESSION,
}  # fmt: skip
"""Where not every method is welcome."""


class KubeletApi:
    """What the node tells, and lets be done, to those who may."""

    def __init__(self, around: PageContext, changes: Changes, sync_loop: Check) -> None:
        self._sync_loop = sync_loop
        found = [kind(around) for kind in subclasses(Page, f"{__package__}.pages")]  # type: ignore[type-abstract]
        self._pages = {(path, page.below): page for page in found for path in page.paths}
        self._logs = ContainerLogs(around.pods, around.cri, changes, around.clock)
        self._streams = Streams(around.pods, around.cri, Joining(around.clock))

    async def answer(self, question: Question) -> Response:
        """The page of a question's path."""
        root, method = question.parts[0] if question.parts else "", question.request.method
        allowed = _METHODS.get(root)
        if allowed is not None and method not in allowed:
            return not_allowed("Method Not Allowed", *allowed)
        try:
            return await self._page(question)
        except Refused as refused:
            return text(refused.status, refused.message)

    async def _page(self, question: Question) -> Response:
        streams = self._streams
        match question.parts:
            case ("containerLogs", namespace, name, container):
                return await self._logs.answer(question, namespace, name, container)
            case ("exec", namespace, name, *uid, container) if len(uid) < 2:
                return await streams.exec(question, namespace, name, "".join(uid), container)
            case ("attach", namespace, name, *uid, container) if len(uid) < 2:
                return await streams.attach(question, namespace, name, "".join(uid), container)
            case ("run", namespace, name, *uid, container) if len(uid) < 2:
                return await streams.run(question, namespace, name, "".join(uid), container)
            case ("portForward", namespace, name, *uid) if len(uid) < 2:
                return await streams.port_forward(question, namespace, name, "".join(uid))
            case ("healthz", *single) if len(single) < 2:
                return health_page(question, "".join(single), self._sync_loop)
            case ("logs", *_):
                return not_allowed("logs endpoint is disabled.\n")
        whole = self._pages.get(("/".join(question.parts), 0))
        page = whole or self._pages.get((question.parts[0] if question.parts else "", len(question.parts) - 1))
        if page is None:
            raise Refused(404, "404 page not found\n")
        if page.methods and question.request.method not in page.methods:
            return not_allowed("Method Not Allowed", *page.methods)
        return await page.answer(question)
