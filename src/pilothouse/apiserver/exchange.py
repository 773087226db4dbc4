"""Exchange: one request on its way through the chain, with what each step learnt of it."""

from dataclasses import dataclass, field

from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.apiserver.user import User
from pilothouse.net.http import Request
from pilothouse.runtime.clock import Instant


@dataclass(slots=True, eq=False)
class Exchange:
    """A request and the facts established about it. Steps of the chain fill it in, in their order."""

    request: Request
    info: RequestInfo
    received: Instant
    user: User
    warnings: list[str] = field(default_factory=list)
    """Texts for `Warning: 299` headers of the answer."""

    def header(self, name: str) -> str:
        """A request header by its lower-case name, empty when it is absent."""
        return self.request.headers.get(name, "")
