"""Steps of the chain: each sees the exchange, asks the next, and gives an answer."""

from collections.abc import Awaitable, Callable, Sequence

from pilothouse.apiserver.exchange import Exchange
from pilothouse.net.http import Response

Next = Callable[[Exchange], Awaitable[Response]]
Step = Callable[[Exchange, Next], Awaitable[Response]]


def chained(steps: Sequence[Step], last: Next) -> Next:
    """One callable that runs the steps in order, then `last`."""
    following = last
    for step in reversed(steps):
        following = _linked(step, following)
    return following


def _linked(step: Step, following: Next) -> Next:
    async def run(exchange: Exchange) -> Response:
        return await step(exchange, following)

    return run
