"""How long a request may take, what it may ask for, and what is said when it does not."""

import orjson
import pytest

from pilothouse.api.machinery.errors import BadRequest, Timeout
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.deadline import deadline, is_lasting
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.user import User
from pilothouse.net.http import Peer, Request, Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.loop import run

PODS = "/api/v1/namespaces/default/pods"


@pytest.mark.parametrize(
    ("method", "target", "lasting"),
    [
        ("GET", f"{PODS}?watch=1", True),
        ("GET", f"{PODS}/a/log", True),
        ("POST", f"{PODS}/a/exec", True),
        ("POST", f"{PODS}/a/attach", True),
        ("POST", f"{PODS}/a/portforward", True),
        ("GET", f"{PODS}/a/proxy/x", True),
        ("GET", PODS, False),
        ("PUT", f"{PODS}/a/status", False),
        ("GET", "/livez", False),
    ],
)
def test_what_lasts(method: str, target: str, lasting: bool) -> None:
    assert is_lasting(parse_request_info(method, target)) is lasting


@pytest.mark.parametrize(
    ("target", "limit"),
    [
        (PODS, 60.0),
        (f"{PODS}?timeout=5s", 5.0),
        (f"{PODS}?timeout=5m", 60.0),
        (f"{PODS}?timeout=0", 60.0),
        (f"{PODS}?timeout=-5s", 60.0),
        (f"{PODS}?watch=1&timeout=soon", None),
    ],
)
def test_time_is_up(target: str, limit: float | None) -> None:
    async def story(clock: LoopClock, _: Chance) -> None:
        exchange = Exchange(Request("GET", target, {}, Peer("")), parse_request_info("GET", target), 0.0, User("me"))

        async def answer(_: Exchange) -> Response:
            await clock.sleep(1000)
            return Response(200)

        if limit is None:
            assert (await deadline(clock)(exchange, answer)).status == 200
            return
        with pytest.raises(Timeout) as caught:
            await deadline(clock)(exchange, answer)
        assert clock.monotonic() == limit
        assert exchange.seconds == limit
        status = orjson.loads(orjson.dumps(caught.value.status()))
        assert (status["code"], status["reason"]) == (504, "Timeout")
        assert status["message"] == "Timeout: request did not complete within the allotted timeout"

    run(story)


def test_what_is_no_duration_is_told() -> None:
    target = f"{PODS}?timeout=soon"

    async def story(clock: LoopClock, _: Chance) -> None:
        exchange = Exchange(Request("GET", target, {}, Peer("")), parse_request_info("GET", target), 0.0, User("me"))

        async def answer(_: Exchange) -> Response:
            raise AssertionError("nothing is to be answered")

        with pytest.raises(BadRequest) as caught:
            await deadline(clock)(exchange, answer)
        why = 'invalid timeout specified in the request URL - time: invalid duration "soon"'
        assert caught.value.message == why

    run(story)
