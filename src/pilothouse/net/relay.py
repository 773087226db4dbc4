"""Relaying an upgrade: a request that asks for SPDY or WebSocket goes on to a backend, byte for byte once it agreed.

Only what the upgrade needs is passed on: never the client's credentials. (KEP-4006; the kubelet's streaming API.)
"""

from collections.abc import Mapping, Sequence

from pilothouse.net.dial import Reply, ask
from pilothouse.net.http import ByteStream, Request, Response
from pilothouse.net.splice import splice
from pilothouse.net.stream import ConnectionStream

SPDY = "SPDY/3.1"
STREAM_PROTOCOL = "x-stream-protocol-version"
_UPGRADES = {"spdy/3.1": SPDY, "websocket": "websocket"}
_REQUEST = ("sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol", "user-agent")
_ANSWER = {
    "sec-websocket-accept": "Sec-WebSocket-Accept",
    "sec-websocket-protocol": "Sec-WebSocket-Protocol",
    STREAM_PROTOCOL: "X-Stream-Protocol-Version",
}
MAX_REFUSAL = 64 * 1024
"""How much of a backend's refusal is passed on."""


def wanted_upgrade(headers: Mapping[str, str]) -> str:
    """The protocol a request asks to switch to: SPDY/3.1, websocket, or empty for none that we relay."""
    tokens = [token.strip().lower() for token in headers.get("connection", "").split(",")]
    return _UPGRADES.get(headers.get("upgrade", "").lower(), "") if "upgrade" in tokens else ""


def stream_protocols(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The stream protocols a SPDY request offers: one header each, or one with commas."""
    return tuple(token.strip() for token in headers.get(STREAM_PROTOCOL, "").split(",") if token.strip())


async def ask_spdy(backend: ConnectionStream, host: str, target: str, protocols: Sequence[str]) -> Reply:
    """Ask a backend for SPDY/3.1 with one of `protocols`. Raises ConnectionError as `ask` does."""
    headers: dict[str, str | Sequence[str]] = {"Host": host, "Connection": "Upgrade", "Upgrade": SPDY}
    return await ask(backend, "POST", target, {**headers, STREAM_PROTOCOL: protocols})


async def relay(request: Request, backend: ConnectionStream, host: str, target: str) -> Response:
    """Pass an upgrade request on to `target` of a backend. Its 101 joins the connections; else its answer is ours.

    Raises ConnectionError when the backend does not answer properly; it is then closed.
    """
    headers: dict[str, str | Sequence[str]] = {
        "Host": host,
        "Connection": "Upgrade",
        "Upgrade": wanted_upgrade(request.headers),
        **{name: request.headers[name] for name in _REQUEST if name in request.headers},
    }
    protocols = stream_protocols(request.headers)
    if protocols:
        headers[STREAM_PROTOCOL] = protocols
    reply = await ask(backend, request.method, target, headers)
    if not reply.upgraded:
        return await refusal(reply)

    async def join(client: ByteStream) -> None:
        await splice(client, backend, halves=False)

    return Response(101, b"", answer_headers(reply), upgrade=join)


def answer_headers(reply: Reply) -> dict[str, str]:
    """The headers of a backend's 101 that concern its client."""
    upgrade = {"Connection": "Upgrade", "Upgrade": reply.headers.get("upgrade", "")}
    return upgrade | {name: reply.headers[key] for key, name in _ANSWER.items() if key in reply.headers}


async def refusal(reply: Reply) -> Response:
    """A backend's answer other than 101, as it came."""
    body = await reply.read(MAX_REFUSAL)
    return Response(reply.status, body, content_type=reply.headers.get("content-type", "text/plain; charset=utf-8"))
