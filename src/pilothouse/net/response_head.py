"""The head of an answer: status line and headers as bytes."""

from http import HTTPStatus

from pilothouse.net.http import Response

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NO_BODY = frozenset({204, 304})
"""Statuses whose answers never have a body, nor say how long it is."""


def response_head(response: Response, length: int | None, *, date: str, close: bool) -> bytes:
    """The head of an answer with a body of `length` bytes, or of chunks (None).

    Raises ValueError for a header that would break out of its line.
    """
    status = response.status
    head = _STATUS_LINES.get(status) or f"HTTP/1.1 {status} Status\r\n"
    lines = 2
    if response.content_type and length != 0:
        head += f"Content-Type: {response.content_type}\r\n"
        lines += 1
    for name, value in response.headers.items():
        head += f"{name}: {value}\r\n"
        lines += 1
    for name, value in response.repeated:
        head += f"{name}: {value}\r\n"
        lines += 1
    if close:
        head += "Connection: close\r\n"
        lines += 1
    if status not in NO_BODY:
        head += "Transfer-Encoding: chunked\r\n" if length is None else f"Content-Length: {length}\r\n"
        lines += 1
    head += date
    if head.count("\r") != lines or head.count("\n") != lines:
        raise ValueError("a header of the answer contains a line break")
    return head.encode("latin-1") + b"\r\n"


def switching_head(response: Response) -> bytes:
    """The head of a 101: the handler names the protocol in its headers."""
    fields = [*response.headers.items(), *response.repeated]
    lines = ["HTTP/1.1 101 Switching Protocols", *(f"{name}: {value}" for name, value in fields)]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header of the answer contains a line break")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
