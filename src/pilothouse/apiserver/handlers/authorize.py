"""Step: may they?"""

from pilothouse.apiserver.authorization.framework import Attributes, Authorizer, forbidden
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.framework import Next, Step
from pilothouse.net.http import Response


def authorize(authorizer: Authorizer) -> Step:
    """Make the step."""

    async def step(exchange: Exchange, following: Next) -> Response:
        attributes = Attributes.of(exchange.user, exchange.info)
        decision = authorizer.authorize(attributes)
        if exchange.audit is not None:
            exchange.annotate("authorization.k8s.io/decision", "allow" if decision.allowed else "forbid")
            exchange.annotate("authorization.k8s.io/reason", decision.reason)
        if not decision.allowed:
            raise forbidden(attributes, decision.reason)
        exchange.authorizer = authorizer
        return await following(exchange)

    return step
