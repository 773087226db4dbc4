"""Exchange: one request on its way through the chain, with what each step learnt of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pilothouse.apiserver.audit.record import Record
from pilothouse.apiserver.authorization.framework import Attributes, Authorizer, forbidden
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.apiserver.user import User
from pilothouse.net.http import Request
from pilothouse.runtime.clock import Instant
from pilothouse.runtime.slow_lane import SlowLane


@dataclass(slots=True, eq=False)
class Exchange:
    """A request and the facts established about it. Steps of the chain fill it in, in their order."""

    request: Request
    info: RequestInfo
    received: Instant
    user: User
    warnings: list[str] = field(default_factory=list)
    """Texts for `Warning: 299` headers of the answer."""
    seconds: float = 60.0
    """How long it may take, unless it lasts."""
    lane: SlowLane = field(default_factory=SlowLane)
    """Where long bodies are decoded; the server's own."""
    audit_id: str = ""
    """What audit and logs know the request by; empty where none is given."""
    audit: Record | None = None
    """What audit records of it, if anything."""
    answer_headers: Mapping[str, str] | None = None
    """Headers of the answer, whatever it is. Replaced as a whole, as it may be shared."""

    authorizer: Authorizer | None = None
    """Who allowed it, to be asked again where it turns out to be more; None where nobody is asked."""

    def header(self, name: str) -> str:
        """A request header by its lower-case name, empty when it is absent."""
        return self.request.headers.get(name, "")

    def demand(self, attributes: Attributes) -> None:
        """What the request needs leave for besides. Raises Forbidden."""
        if self.authorizer is None:
            return
        decision = self.authorizer.authorize(attributes)
        if not decision.allowed:
            raise forbidden(attributes, decision.reason)

    def annotate(self, key: str, value: str) -> None:
        """Leave a note in the audit event, where there is one. The first of a key stays."""
        if self.audit is not None:
            self.audit.annotations.setdefault(key, value)
