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
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9.]+)([^0-9.]*)", re.ASCII)


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
    """Seconds of a Go duration such as `1m30s`. Raises BadRequest in Go's words."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0.0
    seconds = 0.0
    wrong = "" if rest else f'invalid duration "{text}"'
    while rest and not wrong:
        found = _PART.match(rest)
        if found is None or found[1].count(".") > 1 or found[1] == ".":
            wrong = f'invalid duration "{text}"'
        elif not found[2]:
            wrong = f'missing unit in duration "{text}"'
        elif found[2] not in _UNITS:
            wrong = f'unknown unit "{found[2]}" in duration "{text}"'
        else:
            seconds += float(found[1]) * _UNITS[found[2]]
            rest = rest[found.end() :]
    if wrong:
        raise BadRequest(f"invalid timeout specified in the request URL - time: {wrong}")
    return -seconds if text.startswith("-") else seconds
