"""What stands in line after so many bytes; how a connection answers it is in test_server.py."""

import pytest

from pilothouse.net.door import Limits
from pilothouse.net.request_parser import RequestParser
from pilothouse.runtime.clock import SystemClock

HEAD = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
SWITCH = b"GET /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def _parser(flows: list[bool] | None = None) -> RequestParser:
    told = flows if flows is not None else []
    return RequestParser(SystemClock(), Limits(header_bytes=1000, header_count=5), told.append)


def _feed(parser: RequestParser, *pieces: bytes) -> list[bool]:
    return [parser.feed(memoryview(piece)) for piece in pieces]


def test_requests_stand_in_line_as_their_heads_are_complete() -> None:
    parser = _parser()
    assert _feed(parser, HEAD + b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab") == [False]
    assert [(one.method, one.target, one.complete) for one in parser.line] == [
        ("GET", b"/a", True),
        ("POST", b"/b", False),
    ]
    assert parser.arrival is parser.line[1]
    _feed(parser, b"cd")
    body = parser.line[1].body
    assert body is not None
    assert (parser.line[1].complete, body.take()) == (True, b"abcd")
    assert parser.arrival is None


def test_a_head_begins_once() -> None:
    assert _feed(_parser(), HEAD[:5], HEAD[5:9], HEAD[9:], HEAD + HEAD[:8], HEAD[8:]) == [
        True,
        False,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ((b"GET /a HTTP/1.1\r\n", b"X-A: b\r\n" * 8), 431),
        ((b"GET /a HTTP/1.1\r\nX-A: ", b"b" * 900, b"b" * 900), 431),
        ((b"nonsense\r\n\r\n",), 400),
        ((b"GET /a HTTP/1.1\r\n\r\n",), 400),
    ],
)
def test_the_first_thing_that_is_wrong_is_told(pieces: tuple[bytes, ...], status: int) -> None:
    parser = _parser()
    _feed(parser, *pieces)
    assert parser.refusal is not None
    assert parser.refusal.status == status
    assert not parser.line


def test_a_refusal_breaks_off_the_body_that_is_coming() -> None:
    parser = _parser()
    _feed(parser, b"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", b"-1\r\n")
    body = parser.line[0].body
    assert body is not None
    assert (body.broken, body.complete) == ("malformed request", False)


def test_what_follows_a_switch_is_kept_unread() -> None:
    flows: list[bool] = []
    parser = _parser(flows)
    _feed(parser, SWITCH + b"ab", b"GET /a")
    assert (parser.switching, len(parser.line), parser.unread(), flows) == (True, 1, b"abGET /a", [])
    _feed(parser, bytes(70_000))
    assert flows == [False], "enough"
