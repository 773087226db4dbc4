"""Heads of HTTP/2: a request's fields judged as strictly as those of HTTP/1.1, an answer's fields made. Pure.

What could be read in two ways when passed on by HTTP/1.1 is refused (RFC 9113, sections 8.2 and 8.3).
"""

import re
from collections.abc import Callable, Iterable

from pilothouse.net.arrival import Arrival, Refusal
from pilothouse.net.door import Limits
from pilothouse.net.http import Response
from pilothouse.net.request_body import RequestBody
from pilothouse.net.response_head import NO_BODY

_CONNECTION = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})
"""Headers that HTTP/2 has not (section 8.2.2)."""
_PSEUDO = frozenset({b":method", b":scheme", b":path", b":authority"})
_METHOD = re.compile(rb"[A-Z]{1,20}")
_AUTHORITY = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:\[\]%-]+")
_BREAK = re.compile(r"[\r\n\0]")
_STATUS = {status: str(status).encode() for status in range(100, 600)}

Fields = list[tuple[bytes, bytes]]


def read_head(
    fields: Iterable[tuple[bytes, bytes]], new_body: Callable[[], RequestBody], limits: Limits
) -> tuple[Arrival, Refusal | None]:
    """The request that `fields` ask for, and why it is refused if it is."""
    arrival = Arrival(new_body)
    pseudo: dict[bytes, bytes] = {}
    refusal: Refusal | None = None
    for name, value in fields:
        if name.startswith(b":"):
            if name in pseudo or name not in _PSEUDO or arrival.count:
                return arrival, Refusal(400, "invalid pseudo header")
            pseudo[name] = value
        elif name != name.lower() or name in _CONNECTION or (name == b"te" and value.lower() != b"trailers"):
            return arrival, Refusal(400, "invalid header for HTTP/2")
        elif value != value.strip(b" \t"):
            return arrival, Refusal(400, "invalid header value")
        else:
            refusal = arrival.add_header(name, value)
            if refusal is not None:
                return arrival, refusal
    if arrival.size > limits.header_bytes or arrival.count > limits.header_count:
        return arrival, Refusal(431, "request header fields too large")
    return arrival, _take_pseudo(arrival, pseudo) or _check(arrival)


def _take_pseudo(arrival: Arrival, pseudo: dict[bytes, bytes]) -> Refusal | None:
    method, authority = pseudo.get(b":method", b""), pseudo.get(b":authority", b"")
    if not _METHOD.fullmatch(method) or method == b"CONNECT" or pseudo.get(b":scheme") not in (b"https", b"http"):
        return Refusal(400, "invalid pseudo header")
    arrival.method = method.decode("ascii")
    arrival.target = pseudo.get(b":path", b"")
    if authority:
        host = authority.decode("latin-1")
        if not _AUTHORITY.fullmatch(authority) or arrival.headers.setdefault("host", host) != host:
            return Refusal(400, "Host and :authority differ or are invalid")
    return None


def _check(arrival: Arrival) -> Refusal | None:
    headers = arrival.headers
    length = headers.get("content-length")
    if length is not None and not (length.isascii() and length.isdecimal()):
        return Refusal(400, "invalid Content-Length")
    if "cookie" in arrival.repeated:
        headers["cookie"] = "; ".join(arrival.repeated.pop("cookie"))
    return arrival.check_head("1.1")


def answer_fields(response: Response, length: int | None, date: str) -> Fields:
    """The head of an answer. Raises ValueError for a header that could break out of its line elsewhere."""
    status = response.status
    found: Fields = [(b":status", _STATUS[status])]
    if response.content_type and length != 0:
        found.append((b"content-type", response.content_type.encode("latin-1")))
    for name, value in (*response.headers.items(), *response.repeated):
        if _BREAK.search(value) or _BREAK.search(name):
            raise ValueError("a header of the answer contains a line break")
        key = name.lower().encode("latin-1")
        if key not in _CONNECTION:
            found.append((key, value.encode("latin-1")))
    if length is not None and status not in NO_BODY:
        found.append((b"content-length", b"%d" % length))
    found.append((b"date", date.encode("ascii")))
    return found
