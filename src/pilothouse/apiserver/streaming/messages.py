"""An answer that comes in a WebSocket's messages, piece by piece: logs, for clients that speak nothing else.

The first message is empty, and what the client sends is ignored; whoever is done first closes.
(apimachinery/pkg/util/httpstream/wsstream/stream.go.)
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pilothouse.api.machinery.errors import BadRequest, Forbidden
from pilothouse.net.http import ByteStream, Request, Response
from pilothouse.net.websocket import HandshakeError, answer_handshake, is_websocket_request, offered_protocols
from pilothouse.net.websocket_connection import WebSocket
from pilothouse.runtime.tasks import Tasks

_BASE64 = {"": False, "binary.k8s.io": False, "base64.binary.k8s.io": True}
"""Whether a protocol's messages are text; without one they are bytes."""
Body = bytes | Sequence[bytes | memoryview] | AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class InMessages:
    """A WebSocket that was agreed upon, and is still to be opened."""

    headers: Mapping[str, str]
    base64: bool

    def response(self, body: Body) -> Response:
        """The 101 after which `body` comes."""

        async def session(client: ByteStream) -> None:
            await self._carry(WebSocket(client), body)

        return Response(101, b"", self.headers, upgrade=session)

    async def _carry(self, socket: WebSocket, body: Body) -> None:
        try:
            async with Tasks() as tasks:
                sending = tasks.spawn(self._send(socket, body), name="body")
                listening = tasks.spawn(_ignore(socket), name="client")
                await asyncio.wait((sending, listening), return_when=asyncio.FIRST_COMPLETED)
        finally:
            close = getattr(body, "aclose", None)
            if close is not None:
                await close()
            await socket.close()

    async def _send(self, socket: WebSocket, body: Body) -> None:
        with suppress(ConnectionError):
            await socket.send(b"", text=self.base64)
            async for piece in _pieces(body):
                await socket.send(base64.b64encode(piece) if self.base64 else piece, text=self.base64)


def in_messages(request: Request) -> InMessages | None:
    """What a request for a WebSocket gets; None for any other. Raises Forbidden and BadRequest."""
    if not is_websocket_request(request.headers):
        return None
    offered = offered_protocols(request.headers)
    protocol = next((name for name in offered or ("",) if name in _BASE64), None)
    if protocol is None:
        raise Forbidden(f"requested protocol(s) are not supported: [{' '.join(offered)}]")
    try:
        return InMessages(answer_handshake(request.method, request.headers, protocol), _BASE64[protocol])
    except HandshakeError as error:
        raise BadRequest(str(error)) from error


async def _pieces(body: Body) -> AsyncIterator[bytes]:
    if isinstance(body, bytes):
        if body:
            yield body
    elif isinstance(body, AsyncIterator):
        async for piece in body:
            yield piece
    else:
        for each in body:
            yield bytes(each)


async def _ignore(socket: WebSocket) -> None:
    """Until the client leaves."""
    with suppress(ConnectionError):
        while await socket.receive() is not None:
            pass
