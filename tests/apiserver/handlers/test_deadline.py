"""How long a request may take, what it may ask for, and what is said when it does not."""

import orjson
import pytest

from pilothouse.api.machinery.errors import BadRequest, Timeout
from pilothouse.apiserver.exchange import Exchange
from pilothouse.apiserver.handlers.deadline import deadline, is_lasting, parse_duration
from pilothouse.apiserver.request_info import parse_request_info
from pilothouse.apiserver.user import User
from pilothouse.net.http import Peer, Request, Response
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import LoopClock
from pilothouse.testing.loop import run

PODS = "/api/v1/namespaces/default/pods"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0), ("5s", 5.0), ("1m30s", 90.0), ("1.5h", 5400.0), (".5s", 0.5), ("1.s", 1.0), ("100ms", 0.1),
        ("2us", 2e-6), ("2µs", 2e-6), ("2μs", 2e-6), ("3ns", 3e-9), ("-5s", -5.0), ("+5s", 5.0),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("soon", 'invalid duration "soon"'),
        ("-", 'invalid duration "-"'),
        (".s", 'invalid duration ".s"'),
        ("1.2.3s", 'invalid duration "1.2.3s"'),
        ("5", 'missing unit in duration "5"'),
        ("1m5", 'missing unit in duration "1m5"'),
        ("5d", 'unknown unit "d" in duration "5d"'),
        ("5 s", 'unknown unit " s" in duration "5 s"'),
    ],
)
def test_what_is_no_duration(text: str, why: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_duration(text)
    assert caught.value.message == f"invalid timeout specified in the request URL - time: {why}"


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
