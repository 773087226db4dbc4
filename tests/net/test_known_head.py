"""The parser with its memory against parsers without one: the same requests, and no second look at the same headers."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pilothouse.net.arrival import Arrival
from pilothouse.net.door import Limits
from pilothouse.net.request_parser import RequestParser
from pilothouse.runtime.clock import SystemClock

HEADERS = b"Host: x\r\nAccept: application/json\r\nAccept: text/plain\r\n"
PIECES = st.sampled_from((
    b"GET /a HTTP/1.1\r\n" + HEADERS + b"\r\n",
    b"GET /b?x=1 HTTP/1.1\r\n" + HEADERS + b"\r\n",
    b"HEAD /a HTTP/1.1\r\n" + HEADERS + b"\r\n",
    b"DELETE /a HTTP/1.1\r\n" + HEADERS + b"Content-Length: 0\r\n\r\n",
    b"DELETE /a HTTP/1.1\r\n" + HEADERS + b"Content-Length: 2\r\n\r\nab",
    b"POST /a HTTP/1.1\r\n" + HEADERS + b"\r\n",
    b"GET /a HTTP/1.0\r\n" + HEADERS + b"\r\n",
    b"GET http://x/a HTTP/1.1\r\n" + HEADERS + b"\r\n",
    b"GET /a#b HTTP/1.1\r\n" + HEADERS + b"\r\n",
    b"GET  /a HTTP/1.1\r\n" + HEADERS + b"\r\n",
    b"GET /a HTTP/1.1\n" + HEADERS + b"\r\n",
    b"\r\nGET /a HTTP/1.1\r\n" + HEADERS + b"\r\n",
    b"GET /a HTTP/1.1\r\nGET /b HTTP/1.1\r\n" + HEADERS + b"\r\n",
    b"GET /a HTTP/1.1\r\n" + HEADERS + b"Connection: close\r\n\r\n",
    b"GET /a HTTP/1.1\r\n" + HEADERS + b"Expect: 100-continue\r\n\r\n",
    b"GET /a HTTP/1.1\r\n" + HEADERS + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"GET /a HTTP/1.1\r\n" + HEADERS + b"\r\nGET /b HTTP/1.1\r\n" + HEADERS + b"\r\n",
    b"GET /a HTTP/1.1\r\n" + HEADERS,
    b"\r\n",
    b"GET /" + b"a" * 1000 + b" HTTP/1.1\r\n" + HEADERS + b"\r\n",
))  # fmt: skip


def _parser() -> RequestParser:
    return RequestParser(SystemClock(), Limits(header_bytes=500), lambda _: None)


class _Forgetful:
    """Knows no head."""

    def learn(self, *_: object) -> None: ...

    def read(self, _: bytes) -> None: ...


def _seen(arrival: Arrival) -> tuple[Any, ...]:
    body = arrival.body.take() if arrival.body is not None and arrival.complete else None
    facts = (arrival.method, arrival.target, dict(arrival.headers), arrival.repeated, arrival.count, body)
    return (*facts, arrival.complete, arrival.close, arrival.modern, arrival.expects, arrival.head_complete)


def _outcome(parser: RequestParser, pieces: Sequence[bytes]) -> tuple[Any, ...]:
    begun = [parser.feed(memoryview(piece)) for piece in pieces if parser.refusal is None]
    return begun, [_seen(one) for one in parser.line], parser.refusal, parser.switching, parser.unread()


@example([b"GET /a HTTP/1.1\r\n" + HEADERS + b"\r\n", b"GET /a HTTP/1.0\r\n" + HEADERS + b"\r\n"] * 2)
@given(st.lists(PIECES, max_size=6))
def test_requests_are_what_they_are_without_it(pieces: list[bytes]) -> None:
    forgetful = _parser()
    forgetful._known = _Forgetful()  # type: ignore[assignment]
    assert _outcome(_parser(), pieces) == _outcome(forgetful, pieces)


@pytest.mark.parametrize("first", [b"GET /a", b"DELETE /z"])
def test_the_same_headers_are_not_parsed_twice(first: bytes) -> None:
    parser = _parser()
    parser.feed(memoryview(first + b" HTTP/1.1\r\n" + HEADERS + b"\r\n"))
    parser._parser = None
    for target in (b"/a", b"/b?c=%20"):
        parser.feed(memoryview(b"GET " + target + b" HTTP/1.1\r\n" + HEADERS + b"\r\n"))
        assert parser.line[-1].target == target
        assert parser.line[-1].headers is parser.line[0].headers
