"""The door of the kubelet's API: who is it, may they, and then to one of the pages.

Every path is guarded, those that do not exist too. Source: pkg/kubelet/server/server.go (InstallAuthFilter).
"""

from typing import Protocol

from pilothouse.api.machinery.errors import StatusError
from pilothouse.kubelet.server.attributes import Attributes, attributes_of
from pilothouse.kubelet.server.caller import Caller
from pilothouse.kubelet.server.question import Question, parse_question
from pilothouse.kubelet.server.text import text
from pilothouse.net.http import Handler, Request, Response
from pilothouse.runtime.log import Log

log = Log(__name__)


class Authenticator(Protocol):
    """Says who somebody is."""

    async def authenticate(self, request: Request) -> Caller | None:
        """The caller; None for nobody. May raise StatusError or OSError."""
        ...


class Authorizer(Protocol):
    """Says what somebody may do."""

    async def allows(self, caller: Caller, attributes: Attributes, subresource: str) -> bool:
        """Whether the caller may. May raise StatusError or OSError."""
        ...


class Pages(Protocol):
    """What is behind the door."""

    async def answer(self, question: Question) -> Response:
        """The answer to a caller who may have it."""
        ...


def guarded(pages: Pages, authenticator: Authenticator, authorizer: Authorizer) -> Handler:
    """The handler that lets through to `pages` whom it knows and who may."""

    async def handle(request: Request) -> Response:
        question = parse_question(request)
        try:
            caller = await authenticator.authenticate(request)
        except (StatusError, OSError) as error:
            log.error("Unable to authenticate the request due to an error", error=error)
            caller = None
        if caller is None:
            return text(401, "Unauthorized")
        refusal = await _refusal(authorizer, caller, attributes_of(request.method, question.path))
        return refusal if refusal is not None else await pages.answer(question)

    return handle


async def _refusal(authorizer: Authorizer, caller: Caller, asked: Attributes) -> Response | None:
    who = f"user={caller.name}, verb={asked.verb}, resource={asked.resource}"
    for subresource in asked.subresources:
        try:
            if await authorizer.allows(caller, asked, subresource):
                return None
        except (StatusError, OSError) as error:
            log.error("Authorization error", error=error, user=caller.name, verb=asked.verb, subresource=subresource)
            return text(500, f"Authorization error ({who}, subresource={subresource})")
    return text(403, f"Forbidden ({who}, subresource(s)=[{' '.join(asked.subresources)}])\n")
