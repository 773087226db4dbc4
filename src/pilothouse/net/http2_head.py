"""Heads of HTTP/2: a request's fields judged as strictly as those of HTTP/1.1, an answer's fields made. Pure.

What could be read in two ways when passed on by HTTP/1.1 is refused (RFC 9113, sections 8.2 and 8.3). On a kept
connection clients send the same fields again and again, only the path differs: what was judged is remembered.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from pilothouse.net import hpack_encoder
from pilothouse.net.arrival import TARGET, Arrival, Refusal
from pilothouse.net.door import Limits
from pilothouse.net.hpack_decoder import Field
from pilothouse.net.http import Response
from pilothouse.net.request_body import RequestBody
from pilothouse.net.response_head import NO_BODY

_CONNECTION = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})
"""Headers that HTTP/2 has not (section 8.2.2)."""
_PSEUDO = frozenset({b":method", b":scheme", b":path", b":authority"})
_PSEUDO_COUNT = len(_PSEUDO)
_METHOD = re.compile(rb"[A-Z]{1,20}")
_AUTHORITY = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:\[\]%-]+")
_BREAK = re.compile(r"[\r\n\0]")
_STATUSES = range(100, 600)
_KNOWN, _KNOWN_BYTES = 16, 8 * 1024
"""How many heads of one connection are remembered, and how large ones."""


class KnownHeads:
    """The requests of one connection, by all of their fields but the path."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known: dict[tuple[Field, ...], Arrival] = {}

    def read(self, fields: list[Field], new_body: Callable[[], RequestBody]) -> tuple[Arrival, Refusal | None]:
        """The request that `fields` ask for, and why it is refused if it is."""
        at = 0
        for name, _ in fields:
            if name == b":path":
                break
            at += 1
        if at >= min(_PSEUDO_COUNT, len(fields)):
            return read_head(fields, new_body, self._limits)
        others = (*fields[:at], *fields[at + 1 :])
        known = self._known.get(others)
        path = fields[at][1]
        if known is not None and TARGET.fullmatch(path):
            return known.again(path, new_body), None
        arrival, refusal = read_head(fields, new_body, self._limits)
        if refusal is None and arrival.size < _KNOWN_BYTES:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[others] = arrival.again(b"/", _no_body)
        return arrival, refusal


def _no_body() -> RequestBody:
    raise AssertionError("what is remembered is no request")


def read_head(
    fields: Sequence[Field], new_body: Callable[[], RequestBody], limits: Limits
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


def answer_block(response: Response, length: int | None, date: str) -> bytes:
    """The head of an answer. Raises ValueError for a header that could break out of its line elsewhere."""
    status = response.status
    if status not in _STATUSES:
        raise ValueError(f"there is no status {status}")
    found = [hpack_encoder.status(status)]
    if response.content_type and length != 0:
        found.append(_field("content-type", response.content_type))
    for name, value in response.headers.items():
        found.append(_field(name, value))
    for name, value in response.repeated:
        found.append(_field(name, value))
    if length is not None and status not in NO_BODY:
        found.append(_field("content-length", str(length)))
    found.append(_field("date", date))
    return b"".join(found)


@lru_cache(maxsize=512)
def _field(name: str, value: str) -> bytes:
    """One field, or nothing where HTTP/2 has it not."""
    if _BREAK.search(value) or _BREAK.search(name):
        raise ValueError("a header of the answer contains a line break")
    key = name.lower().encode("latin-1")
    if key in _CONNECTION:
        return b""
    return hpack_encoder.name(key) + hpack_encoder.string(value.encode("latin-1"))
