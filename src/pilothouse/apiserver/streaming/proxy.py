"""Passing requests on to a kubelet: logs as they come, upgrades joined byte for byte, WebSockets translated.

Nothing is buffered. A connection is joined only after the kubelet's verified 101; what else it answers is read, passed
on, and its connection closed. (apiserver/pkg/util/proxy; KEP-4006.)
"""

import ssl
from dataclasses import dataclass

from pilothouse.api.machinery.errors import BadRequest, Forbidden, InternalError, NotFound, StatusError
from pilothouse.apiserver.streaming.location import Kubelet
from pilothouse.net.channels import choose_protocol
from pilothouse.net.dial import Reply, ask, dial
from pilothouse.net.http import ByteStream, Request, Response, Upgraded
from pilothouse.net.relay import STREAM_PROTOCOL, ask_spdy, refusal, relay, wanted_upgrade
from pilothouse.net.remote_command import BACKEND_PROTOCOL, TUNNEL_PREFIX, Wanted, translate, tunnel
from pilothouse.net.stream import ConnectionStream
from pilothouse.net.websocket import HandshakeError, answer_handshake, offered_protocols
from pilothouse.runtime.clock import Clock

_MAX_ERROR = 50_000
_MAX_PAGE = 4 << 20
"""Some hundred bytes for each number of each of thousands of containers."""


@dataclass(frozen=True, slots=True)
class KubeletProxy:
    """The API server as a client of kubelets. `tls` is None only for kubelets without TLS, in tests."""

    tls: ssl.SSLContext | None
    clock: Clock

    async def log(self, kubelet: Kubelet, target: str, name: str) -> Response:
        """A container's log, passed on as it comes. Raises StatusError."""
        reply = await self._get(kubelet, target)
        if not 200 <= reply.status <= 206:
            raise _log_error(reply.status, (await reply.read(_MAX_ERROR)).decode("utf-8", "replace"), name)
        return Response(200, reply.body, content_type="text/plain")

    async def page(self, kubelet: Kubelet, target: str) -> str:
        """A page of text, for the server itself. Raises StatusError."""
        reply = await self._get(kubelet, target)
        try:
            body = await reply.read(_MAX_PAGE + 1)
        except OSError as error:
            raise StatusError(f"{self._url(kubelet, target)}: {error}") from error
        if reply.status != 200:
            raise StatusError(f"{self._url(kubelet, target)}: status {reply.status}")
        if len(body) > _MAX_PAGE:
            raise StatusError(f"{self._url(kubelet, target)}: the page is too long")
        return body.decode("utf-8", "replace")

    async def command(self, request: Request, kubelet: Kubelet, target: str, wanted: Wanted) -> Response:
        """An exec or attach session of the `wanted` streams. Raises StatusError."""
        if self._upgrade(request) != "websocket":
            return await self._relay(request, kubelet, target)
        offered = offered_protocols(request.headers)
        protocol = choose_protocol(offered)
        if protocol is None:
            raise Forbidden(f"requested protocol(s) are not supported: [{' '.join(offered)}]")
        headers = _accept(request, protocol.name)
        backend, reply = await self._spdy(kubelet, target, (BACKEND_PROTOCOL,))
        if not reply.upgraded:
            return await refusal(reply)
        if reply.headers.get(STREAM_PROTOCOL) != BACKEND_PROTOCOL:
            await backend.close()
            raise InternalError(f"the kubelet does not speak {BACKEND_PROTOCOL}")

        async def session(client: ByteStream) -> None:
            await translate(client, protocol, backend, wanted, self.clock)

        return _switch(headers, session)

    async def port_forward(self, request: Request, kubelet: Kubelet, target: str) -> Response:
        """A port-forward session; SPDY in a WebSocket is unwrapped, anything else is passed on. Raises StatusError."""
        offered = offered_protocols(request.headers) if self._upgrade(request) == "websocket" else ()
        tunnelled = tuple(name.removeprefix(TUNNEL_PREFIX) for name in offered if name.startswith(TUNNEL_PREFIX))
        if not tunnelled:
            return await self._relay(request, kubelet, target)
        _accept(request, "")
        backend, reply = await self._spdy(kubelet, target, tunnelled)
        if not reply.upgraded:
            return await refusal(reply)
        chosen = reply.headers.get(STREAM_PROTOCOL, "")

        async def session(client: ByteStream) -> None:
            await tunnel(client, backend)

        return _switch(_accept(request, TUNNEL_PREFIX + chosen if chosen in tunnelled else ""), session)

    async def _get(self, kubelet: Kubelet, target: str) -> Reply:
        try:
            stream = await dial(kubelet.host, kubelet.port, self.tls, self.clock)
            return await ask(stream, "GET", target, {"Host": kubelet.authority, "Accept": "text/plain, */*"})
        except (OSError, TimeoutError) as error:
            failure = dial_failure(kubelet.authority, error)
            raise StatusError(f'Get "{self._url(kubelet, target)}": {failure}') from error

    def _url(self, kubelet: Kubelet, target: str) -> str:
        return f"{'https' if self.tls is not None else 'http'}://{kubelet.authority}{target}"

    def _upgrade(self, request: Request) -> str:
        upgrade = wanted_upgrade(request.headers)
        if not upgrade:
            raise BadRequest("Upgrade request required")
        return upgrade

    async def _relay(self, request: Request, kubelet: Kubelet, target: str) -> Response:
        try:
            backend = await dial(kubelet.host, kubelet.port, self.tls, self.clock)
            return await relay(request, backend, kubelet.authority, target)
        except (OSError, TimeoutError) as error:
            raise StatusError(f"error dialing backend: {dial_failure(kubelet.authority, error)}") from error

    async def _spdy(self, kubelet: Kubelet, target: str, protocols: tuple[str, ...]) -> tuple[ConnectionStream, Reply]:
        try:
            backend = await dial(kubelet.host, kubelet.port, self.tls, self.clock)
            return backend, await ask_spdy(backend, kubelet.authority, target, protocols)
        except (OSError, TimeoutError) as error:
            raise StatusError(f"error dialing backend: {dial_failure(kubelet.authority, error)}") from error


def _accept(request: Request, protocol: str) -> dict[str, str]:
    try:
        return answer_handshake(request.method, request.headers, protocol)
    except HandshakeError as error:
        raise BadRequest(str(error)) from error


def _switch(headers: dict[str, str], session: Upgraded) -> Response:
    return Response(101, b"", headers, upgrade=session)


def dial_failure(authority: str, error: OSError | TimeoutError) -> str:
    """The failure in the words that Go's dialler has for it, which people search for."""
    where = f"dial tcp {authority}"
    if isinstance(error, ConnectionRefusedError):
        return f"{where}: connect: connection refused"
    if isinstance(error, TimeoutError):
        return f"{where}: i/o timeout"
    if isinstance(error, ssl.SSLError):
        return f"tls: {error.reason or error}"
    return f"{where}: {error.strerror or error}"


def _log_error(status: int, text: str, name: str) -> StatusError:
    """The kubelet's refusal as the API server reports it."""
    match status:
        case 400:
            return BadRequest(text)
        case 403:
            return Forbidden(text)
        case 404:
            return NotFound(f"the server could not find the requested resource ( pods/log {name})")
        case 500:
            return InternalError(text)
    return StatusError(f"the server responded with the status code {status} but did not return more information")
