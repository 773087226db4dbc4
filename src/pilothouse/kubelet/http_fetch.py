"""One HTTP GET of the kubelet, for `httpGet` of probes and of hooks.

It checks no certificate, follows redirects on the same host alone, ten requests in all, and reads the beginning of
the body: what counts is the status. A redirect elsewhere is an answer like any other, with its 3xx. Errors read as
those of Go's client. API page: HTTPGetAction.
"""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from pilothouse.api.types.core_v1 import HTTPGetAction
from pilothouse.kubelet.network_errors import dial_failure, endpoint
from pilothouse.net.dial import Reply, ask, dial
from pilothouse.net.tls import client_context
from pilothouse.runtime.clock import Clock

BODY_LIMIT = 10 * 1024
_REQUESTS = 10
_PATIENCE = 120.0
"""Seconds for a connection to come about, where nobody sets a limit of their own: roughly the kernel's."""
_REDIRECTS = (301, 302, 303, 307, 308)
_OURS = ("host", "content-length", "transfer-encoding", "trailer")
"""Headers that are not sent as given: they would change the framing, or stand elsewhere in a request."""
_UNTOUCHED = "/%:@!$&'()*+,;=~"

Headers = Mapping[str, str | Sequence[str]]


class FetchError(OSError):
    """No answer; the text is the one Go's client would give."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f'Get "{url}": {why}')


@dataclass(frozen=True, slots=True)
class _Place:
    """What a URL says."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def url(self) -> str:
        return f"{self.scheme}://{endpoint(self.host, self.port)}{self.target}"


class HttpFetch:
    """`Fetch` over a connection of its own for every request. `purpose`: `probe` or `lifecycle`."""

    def __init__(self, clock: Clock, purpose: str = "probe") -> None:
        self._clock = clock
        self._agent = f"kube-{purpose}/1.37"
        self._tls = client_context(b"", verify=False)

    async def __call__(self, action: HTTPGetAction, host: str, port: int) -> tuple[int, str]:
        """Status and the beginning of the body. Raises FetchError."""
        first = place = _place(action, host, port)
        given, headers = _headers(action, self._agent)
        virtual = given
        for _ in range(_REQUESTS):
            status, location, body = await self._get(place, {"Host": virtual or _authority(place), **headers})
            if status not in _REDIRECTS or not location:
                return status, body
            place = _follow(place, location)
            if place.host != first.host:
                return status, body
            virtual = "" if urlsplit(location).scheme else given
        raise FetchError(location, f"stopped after {_REQUESTS} redirects")

    async def _get(self, place: _Place, headers: Headers) -> tuple[int, str, str]:
        """Status, where a redirect leads, and the beginning of the body."""
        tls = self._tls if place.scheme == "https" else None
        try:
            stream = await dial(place.host, place.port, tls, self._clock, timeout=_PATIENCE)
        except ssl.SSLError as error:
            raise FetchError(place.url, _tls_failure(error)) from error
        except OSError as error:
            raise FetchError(place.url, dial_failure(error, place.host, place.port)) from error
        try:
            reply = await ask(stream, "GET", place.target, headers)
            body = await _beginning(reply)
        except ConnectionResetError as error:
            why = "read: connection reset by peer" if error.__cause__ is not None else "EOF"
            raise FetchError(place.url, why) from error
        except (OSError, ValueError) as error:
            raise FetchError(place.url, str(error)) from error
        finally:
            stream.abort()
            await stream.close()
        return reply.status, reply.headers.get("location", ""), body.decode(errors="replace")


def url_of(action: HTTPGetAction, host: str, port: int) -> str:
    """What is asked for, as messages show it."""
    return _place(action, host, port).url


def _place(action: HTTPGetAction, host: str, port: int) -> _Place:
    path, asked, query = action.path.partition("#")[0].partition("?")
    target = quote("/" + path.removeprefix("/"), safe=_UNTOUCHED) + asked + quote(query, safe=_UNTOUCHED + "?")
    return _Place((action.scheme or "HTTP").lower(), host, port, target)


def _follow(place: _Place, location: str) -> _Place:
    try:
        parts = urlsplit(urljoin(place.url, location))
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise FetchError(place.url, f'failed to parse Location header "{location}": {error}') from error
    if parts.scheme not in ("http", "https"):
        raise FetchError(location, f'unsupported protocol scheme "{parts.scheme}"')
    query = f"?{parts.query}" if parts.query else ""
    target = quote(parts.path or "/", safe=_UNTOUCHED) + quote(query, safe=_UNTOUCHED + "?")
    return _Place(parts.scheme, parts.hostname or "", port, target)


def _authority(place: _Place) -> str:
    return endpoint(place.host, place.port)


def _headers(action: HTTPGetAction, agent: str) -> tuple[str, dict[str, list[str]]]:
    """The Host that the action asks for, and the headers to send with it."""
    given: dict[str, list[str]] = {}
    for header in action.httpHeaders:
        # The wire takes Latin-1 for what are bytes; those of other texts go through it unharmed.
        name = "-".join(word.capitalize() for word in header.name.split("-"))
        given.setdefault(name, []).append(header.value.encode().decode("latin-1"))
    host = given.get("Host", [""])[0]
    whole = {"User-Agent": [agent], "Accept": ["*/*"], "Connection": ["close"], **given}
    empty = [name for name in ("User-Agent", "Accept") if not whole[name][0]]
    return host, {name: values for name, values in whole.items() if name.lower() not in _OURS and name not in empty}


async def _beginning(reply: Reply) -> bytes:
    """The body, cut. It is not waited for longer than its declared length: the connection may stay open after it."""
    declared = reply.headers.get("content-length", "")
    wanted = min(int(declared), BODY_LIMIT) if declared.isdigit() else BODY_LIMIT
    body = b""
    if wanted:
        async for piece in reply.body:
            body += piece
            if len(body) >= wanted:
                break
    return body[:BODY_LIMIT]


def _tls_failure(error: ssl.SSLError) -> str:
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return "http: server gave HTTP response to HTTPS client"
    return f"tls: {(error.reason or str(error)).lower().replace('_', ' ')}"
