"""Joins a caller's connection to a session at the runtime's streaming server.

Bytes pass untouched, but for WebSockets of v5 and for tunnels, which containerd does not speak: those are translated
to the SPDY it does. The runtime's server is dialled where its address says, and spoken to in plain HTTP. (KEP-4006.)
"""

from urllib.parse import urlsplit

from pilothouse.kubelet.server.stream_request import V5, tunnelled
from pilothouse.kubelet.server.text import Refused
from pilothouse.net.channels import choose_protocol
from pilothouse.net.dial import Reply, dial
from pilothouse.net.http import ByteStream, Request, Response, Upgraded
from pilothouse.net.relay import STREAM_PROTOCOL, ask_spdy, refusal, relay, wanted_upgrade
from pilothouse.net.remote_command import BACKEND_PROTOCOL, TUNNEL_PREFIX, Wanted, translate, tunnel
from pilothouse.net.stream import ConnectionStream
from pilothouse.net.websocket import HandshakeError, answer_handshake, offered_protocols
from pilothouse.runtime.clock import Clock


class Joining:
    """The kubelet as a client of the runtime's streaming server. Methods raise Refused."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def command(self, request: Request, url: str, wanted: Wanted) -> Response:
        """A session of exec or attach."""
        if V5 not in offered_protocols(request.headers) or _upgrade(request) != "websocket":
            return await self._relay(request, url)
        protocol = choose_protocol((V5,))
        assert protocol is not None
        headers = _accept(request, V5)
        backend, reply = await self._spdy(url, (BACKEND_PROTOCOL,))
        if not reply.upgraded:
            return await refusal(reply)
        if reply.headers.get(STREAM_PROTOCOL) != BACKEND_PROTOCOL:
            await backend.close()
            raise Refused(500, f"the runtime does not speak {BACKEND_PROTOCOL}\n")

        async def session(client: ByteStream) -> None:
            await translate(client, protocol, backend, wanted, self._clock)

        return _switch(headers, session)

    async def port_forward(self, request: Request, url: str) -> Response:
        """A session of port-forward."""
        offered = tunnelled(request.headers)
        if not offered or _upgrade(request) != "websocket":
            return await self._relay(request, url)
        _accept(request, "")
        backend, reply = await self._spdy(url, tuple(name.removeprefix(TUNNEL_PREFIX) for name in offered))
        if not reply.upgraded:
            return await refusal(reply)
        chosen = TUNNEL_PREFIX + reply.headers.get(STREAM_PROTOCOL, "")

        async def session(client: ByteStream) -> None:
            await tunnel(client, backend)

        return _switch(_accept(request, chosen if chosen in offered else ""), session)

    async def _relay(self, request: Request, url: str) -> Response:
        _upgrade(request)
        authority, target = _parts(url)
        try:
            return await relay(request, await self._dial(url), authority, target)
        except (OSError, TimeoutError) as error:
            raise Refused(500, f"error dialing backend: {error}\n") from error

    async def _spdy(self, url: str, protocols: tuple[str, ...]) -> tuple[ConnectionStream, Reply]:
        authority, target = _parts(url)
        try:
            backend = await self._dial(url)
            return backend, await ask_spdy(backend, authority, target, protocols)
        except (OSError, TimeoutError) as error:
            raise Refused(500, f"error dialing backend: {error}\n") from error

    async def _dial(self, url: str) -> ConnectionStream:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise Refused(500, f'the runtime streams at "{url}", which is not plain HTTP\n')
        return await dial(parts.hostname, parts.port or 80, None, self._clock)


def _parts(url: str) -> tuple[str, str]:
    """Authority and target of a URL."""
    parts = urlsplit(url)
    return parts.netloc, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _upgrade(request: Request) -> str:
    upgrade = wanted_upgrade(request.headers)
    if not upgrade:
        raise Refused(500, "Upgrade request required\n")
    return upgrade


def _accept(request: Request, protocol: str) -> dict[str, str]:
    try:
        return answer_handshake(request.method, request.headers, protocol)
    except HandshakeError as error:
        raise Refused(400, str(error)) from error


def _switch(headers: dict[str, str], session: Upgraded) -> Response:
    return Response(101, b"", headers, upgrade=session)
