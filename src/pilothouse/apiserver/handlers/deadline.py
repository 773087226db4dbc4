"""Step: a request has a minute, unless its nature is to last (watch, log, exec, attach, port-forward, proxy).

`?timeout=` may ask for less. Source: apiserver/pkg/server/filters/timeout.go, endpoints/filters/request_deadline.go.
"""

import re

from pilothouse.api.machinery.errors import BadRequest, Timeout
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.framework import Next, Step
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.deadlines import Deadlines

REQUEST_SECONDS = 60.0
_LASTING = frozenset({"log", "exec", "attach", "portforward", "proxy"})
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def deadline(clock: Clock, seconds: float = REQUEST_SECONDS) -> Step:
    """Make the step."""

    deadlines = Deadlines(clock, seconds)

    async def step(exchange: Exchange, following: Next) -> Response:
        info = exchange.info
        if is_lasting(info):
            return await following(exchange)
        text = info.value("timeout")
        asked = parse_duration(text) if text else 0.0
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


def parse_duration(text: str) -> float:
    """Seconds of a Go duration such as `1m30s`. Raises BadRequest."""
    if text == "0":
        return 0.0
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise BadRequest(f'invalid timeout specified in the request URL - time: invalid duration "{text}"')
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
