import pytest

from pilothouse.net.http import Response
from pilothouse.net.response_head import response_head, switching_head

DATE = "Date: x\r\n"
GONE = Response(404, headers={"A": "b"})


@pytest.mark.parametrize(
    ("response", "length", "close", "expected"),
    [
        (Response(200, b"{}"), 2, False, "200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"),
        (Response(200), None, False, "200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"),
        (GONE, 0, True, "404 Not Found\r\nA: b\r\nConnection: close\r\nContent-Length: 0\r\n"),
        (Response(304), 0, False, "304 Not Modified\r\n"),
        (Response(299, content_type=""), 1, False, "299 Status\r\nContent-Length: 1\r\n"),
        (Response(204, repeated=(("A", "b"), ("A", "c"))), 0, False, "204 No Content\r\nA: b\r\nA: c\r\n"),
    ],
)  # fmt: skip
def test_heads(response: Response, length: int | None, close: bool, expected: str) -> None:
    assert response_head(response, length, date=DATE, close=close) == f"HTTP/1.1 {expected}{DATE}\r\n".encode()


@pytest.mark.parametrize("text", ["a\r\nb: c", "a\nb", "a\rb"])
def test_line_breaks_are_refused(text: str) -> None:
    for headers in ({"A": text}, {text: "a"}):
        with pytest.raises(ValueError, match="line break"):
            response_head(Response(200, headers=headers), 0, date=DATE, close=False)
        with pytest.raises(ValueError, match="line break"):
            switching_head(Response(101, headers=headers))
        repeated = tuple(headers.items())
        with pytest.raises(ValueError, match="line break"):
            response_head(Response(200, repeated=repeated), 0, date=DATE, close=False)
        with pytest.raises(ValueError, match="line break"):
            switching_head(Response(101, repeated=repeated))


def test_switching() -> None:
    head = switching_head(Response(101, headers={"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}))
    assert head == b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"
