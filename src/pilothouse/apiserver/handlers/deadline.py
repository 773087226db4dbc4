"""Step: a request has a minute, unless its nature is to last (watch, log, exec, attach, port-forward, proxy).

`?timeout=` may ask for less. Source: apiserver/pkg/server/filters/timeout.go, endpoints/filters/request_deadline.go.
"""

from pilothouse.api.machinery.errors import BadRequest, Timeout
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.framework import Next, Step
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.deadlines import Deadlines
from pilothouse.runtime.durations import parse_duration

REQUEST_SECONDS = 60.0
_LASTING = frozenset({"log", "exec", "attach", "portforward", "proxy"})


def deadline(clock: Clock, seconds: float = REQUEST_SECONDS) -> Step:
    """Make the step."""

    deadlines = Deadlines(clock, seconds)

    async def step(exchange: Exchange, following: Next) -> Response:
        info = exchange.info
        if is_lasting(info):
            return await following(exchange)
        text = info.value("timeout")
        asked = _asked(text) if text else 0.0
        try:
            if 0 < asked < seconds:
                exchange.seconds = asked
                async with clock.timeout(asked):
                    return await following(exchange)
            with deadlines.begin():
                return await following(exchange)
        except TimeoutError:
            raise Timeout("Timeout: request did not complete within the allotted timeout") from None

    return step


def is_lasting(info: RequestInfo) -> bool:
    """Whether a request may take as long as it likes."""
    return info.verb == "watch" or info.subresource in _LASTING


def _asked(text: str) -> float:
    """Seconds that a request gives itself. Raises BadRequest."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise BadRequest(f"invalid timeout specified in the request URL - {error}") from None
