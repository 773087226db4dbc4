"""Step: is it their turn? A request takes a seat of its priority level, waits for one, or is turned away with 429.

What lasts is not counted, but for a watch until its first events are ready. Nobody waits longer than a quarter of the
time that the request has. Source: apiserver/pkg/server/filters/priority-and-fairness.go.
"""

from collections.abc import AsyncIterator

from pilothouse.api.catalogue import Catalogue
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.flowcontrol.control import Flow, FlowControl
from pilothouse.apiserver.flowcontrol.queues import CANCELLED, Rejected, Seat
from pilothouse.apiserver.flowcontrol.width import list_seats, lists
from pilothouse.apiserver.handlers.bodies import Beginning
from pilothouse.apiserver.handlers.deadline import is_lasting
from pilothouse.apiserver.handlers.framework import Next, Step
from pilothouse.apiserver.registry.watch_cache import WatchCache
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Clock

_TEXT = "text/plain; charset=utf-8"
_PATIENCE = 4
"""The part of a request's time that it may wait."""


def priority(control: FlowControl, cache: WatchCache, catalogue: Catalogue, clock: Clock) -> Step:
    """Make the step."""
    return _Turns(control, cache, catalogue, clock).step


class _Turns:
    """The step and what it needs."""

    def __init__(self, control: FlowControl, cache: WatchCache, catalogue: Catalogue, clock: Clock) -> None:
        self._control = control
        self._cache = cache
        self._catalogue = catalogue
        self._clock = clock

    async def step(self, exchange: Exchange, following: Next) -> Response:
        """Let it run when there are seats for it."""
        info = exchange.info
        if info.verb != "watch" and is_lasting(info):
            return await following(exchange)
        flow = self._control.flow_of(exchange.user, info)
        before = exchange.answer_headers
        exchange.answer_headers = flow.headers if before is None else {**before, **flow.headers}
        seats = self._seats(info, flow) if lists(info) else 1
        seat = flow.level.queues.admit(seats)
        if seat is None:
            try:
                seat = await self._wait(exchange, flow, seats)
            except Rejected:
                return _too_many()
        tally = flow.tally
        tally.begin(seats)

        def leave() -> None:
            tally.end(seats)
            seat.leave()

        try:
            response = await following(exchange)
        except BaseException:
            leave()
            raise
        if info.verb == "watch" and isinstance(response.body, AsyncIterator):
            response.body = Beginning(response.body, leave)
        else:
            leave()
        return response

    def _seats(self, info: RequestInfo, flow: Flow) -> int:
        """How many seats a list takes."""
        resource = self._catalogue.find(info.group, info.version, info.resource)
        if resource is None or resource.stored_as is not None or info.subresource:
            return 1
        return list_seats(info, self._cache.of(info.group, info.resource), flow.level.bounds.list_seats)

    async def _wait(self, exchange: Exchange, flow: Flow, seats: int) -> Seat:
        """Seats, as soon as it is their turn. Raises Rejected."""
        tally, began = flow.tally, self._clock.monotonic()
        tally.waiting += 1
        got = False
        try:
            seat = await flow.level.queues.wait(seats, flow.number, exchange.seconds / _PATIENCE)
            got = True
        except Rejected as refusal:
            tally.reject(str(refusal))
            raise
        except BaseException:
            tally.reject(CANCELLED)
            raise
        finally:
            tally.waiting -= 1
            tally.waits[got].add(self._clock.monotonic() - began)
        return seat


def _too_many() -> Response:
    text = b"Too many requests, please try again later.\n"
    return Response(429, text, {"Retry-After": "1", "X-Content-Type-Options": "nosniff"}, _TEXT)
