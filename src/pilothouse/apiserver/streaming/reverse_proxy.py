"""Passing requests on to pods, services and nodes: which path the backend sees, and what becomes of its answer.

The address is resolved once, checked, and dialled as checked. Answers come back as they come, with redirects and links
led back through the proxy. (apimachinery/pkg/util/proxy; DESIGN: aggregation will pass requests on in the same way.)
"""

import asyncio
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, unquote_to_bytes

from pilothouse.api.machinery.errors import BadRequest, ServiceUnavailable, StatusError
from pilothouse.apiserver.request_info import RequestInfo
from pilothouse.apiserver.streaming.backends import Allowed, Location, may_be_proxied
from pilothouse.apiserver.streaming.links import ENCODINGS, Rewriter, RewrittenBody, join
from pilothouse.apiserver.streaming.proxy import dial_failure
from pilothouse.net.dial import dial
from pilothouse.net.forward import Forwarded, InvalidUpgrade, forward, forward_upgrade
from pilothouse.net.http import Request, Response
from pilothouse.net.relay import wanted_upgrade
from pilothouse.net.request_body import BodyBroken
from pilothouse.net.stream import ConnectionStream
from pilothouse.runtime.clock import Clock

_PATH_SAFE = "$&+,/:;=@-_.~"
"""What Go leaves alone when it writes a path."""
_CORS = frozenset({
    "access-control-allow-credentials", "access-control-allow-headers", "access-control-allow-methods",
    "access-control-allow-origin",
})  # fmt: skip
"""A backend has no say in who may read answers of the API server's host."""
_DIAL = 30.0
_SLASHES = re.compile("//+")


@dataclass(frozen=True, slots=True)
class ProxiedPath:
    """A request's path, taken apart at the proxy."""

    prefix: str
    """What the client sees before the backend's own path, without a slash at its end."""
    path: str
    """The backend's path; empty when the request ended with the prefix."""
    query: str
    """With its question mark, or empty."""

    @classmethod
    def of(cls, info: RequestInfo, target: str) -> Self:
        """Take `target` apart: its segments are those of `info`, because separators are never encoded."""
        raw, mark, query = target.partition("?")
        begin = 8 if info.namespace else 6
        parts = raw.split("/")
        written = quote(unquote_to_bytes("/".join(["", *parts[begin:]])), safe=_PATH_SAFE) if parts[begin:] else ""
        prefix = quote(unquote_to_bytes("/".join(parts[:begin])), safe=_PATH_SAFE)
        return cls(prefix, _SLASHES.sub("/", written), mark + query)


@dataclass(frozen=True, slots=True)
class ReverseProxy:
    """The API server as a client of what runs in the cluster."""

    kubelets: ssl.SSLContext | None
    """What kubelets are asked with; None only for kubelets without TLS, in tests."""
    others: ssl.SSLContext
    """What is spoken to those that want HTTPS. Nobody vouches for their certificates."""
    clock: Clock
    allowed: Allowed = may_be_proxied

    async def pass_on(self, request: Request, info: RequestInfo, location: Location) -> Response:
        """The backend's answer. Raises StatusError when there is none."""
        where = ProxiedPath.of(info, request.target)
        upgrade = wanted_upgrade(request.headers)
        if not upgrade and not where.path and request.method in ("GET", "HEAD"):
            return Response(301, b"", {"Location": f"{where.prefix}/{where.query}"}, content_type="")
        try:
            if upgrade:
                return await self._upgrade(request, location, where)
            backend = await self._dial(location)
            forwarded = await forward(request, backend, _target(where), _more(where))
        except (BodyBroken, StatusError):
            raise
        except OSError as error:
            raise ServiceUnavailable(f"error trying to reach service: {_failure(location, error)}") from error
        return _led_back(forwarded, where, location, request.headers.get("host", ""))

    async def _upgrade(self, request: Request, location: Location, where: ProxiedPath) -> Response:
        try:
            backend = await self._dial(location)
            return await forward_upgrade(request, backend, _target(where), {})
        except OSError as error:
            raise StatusError(f"error dialing backend: {_failure(location, error)}") from error
        except InvalidUpgrade as error:
            raise StatusError(str(error)) from error

    async def _dial(self, location: Location) -> ConnectionStream:
        tls = None
        if location.scheme == "https":
            tls = self.kubelets if location.kubelet else self.others
        host = location.host if location.kubelet else await self._checked(location)
        return await dial(host, location.number(), tls, self.clock, server_name=location.host, timeout=_DIAL)

    async def _checked(self, location: Location) -> str:
        """An address of the host; all of them must be such as may be dialled."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(location.host, None, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise BadRequest(f"lookup {location.host}: no such host") from error
        addresses = [str(each[4][0]) for each in found]
        if not all(map(self.allowed, addresses)):
            raise BadRequest("address not allowed")
        return addresses[0]


def _target(where: ProxiedPath) -> str:
    return (where.path or "/") + where.query


def _more(where: ProxiedPath) -> dict[str, str]:
    """What the backend is told of the path that its client sees. Host and scheme are not said, as upstream does not."""
    return {"X-Forwarded-Uri": join(where.prefix, where.path or "")}


def _led_back(answer: Forwarded, where: ProxiedPath, location: Location, asked: str) -> Response:
    """The answer with its redirect or its links rewritten."""
    rewriter = Rewriter(where.prefix, location.authority, asked)
    answer.fields = [
        (name, rewriter.rewrite(value) if name.lower() == "location" else value)
        for name, value in answer.fields
        if name.lower() not in _CORS
    ]
    kind, encoding = answer.value("content-type").partition(";")[0].strip(), answer.value("content-encoding")
    if kind == "text/html" and not answer.value("location") and encoding in ("", *ENCODINGS):
        answer.body = RewrittenBody(answer.body, rewriter, encoding)
        answer.length = None
        answer.fields = [(name, value) for name, value in answer.fields if name.lower() != "content-encoding"]
    return answer.response()


def _failure(location: Location, error: OSError) -> str:
    """The failure in the words of Go's dialler, where it has one of its own for it."""
    if error.errno is None and not isinstance(error, ConnectionRefusedError | TimeoutError | ssl.SSLError):
        return str(error)
    return dial_failure(location.authority, error)
