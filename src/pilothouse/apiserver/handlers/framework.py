"""Steps of the chain: each sees the exchange, asks the next, and gives an answer."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from pilothouse.apiserver.exchange import Exchange
from pilothouse.net.http import Response

Next = Callable[[Exchange], Awaitable[Response]]


class Step(Protocol):
    """One step."""

    def __call__(self, exchange: Exchange, following: Next) -> Awaitable[Response]:
        """Answer, mostly by what follows."""
        ...


def chained(steps: Sequence[Step], last: Next) -> Next:
    """One callable that runs the steps in order, then `last`."""
    following = last
    for step in reversed(steps):
        following = partial(step, following=following)
    return following
