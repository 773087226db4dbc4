"""Forwarding: a request passed on to a backend as a reverse proxy does, its answer passed back as it comes.

Nothing is buffered whole, in either direction: who reads slowly slows down who sends. What concerns one connection
alone (RFC 9110, section 7.6.1) stays on it, the client's credentials never leave us, and two connections are joined
only after a verified 101. Who may be asked, and under which name, is the caller's business. The behaviour is that of
Go's httputil.ReverseProxy and apimachinery/pkg/util/proxy/upgradeaware.go.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from pilothouse.net.dial import Reply, read_reply, request_head
from pilothouse.net.http import ByteStream, Request, Response
from pilothouse.net.relay import wanted_upgrade
from pilothouse.net.request_body import BodyBroken
from pilothouse.net.splice import splice
from pilothouse.net.stream import ConnectionStream
from pilothouse.runtime.tasks import Tasks

_HOP = frozenset({
    "connection", "proxy-connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
_OURS = frozenset({"authorization", "expect", "host", "content-length"})
"""Headers of a request that are answered for here: who it is, and how its body is framed."""
_PRIVATE = ("impersonate-", "x-remote-")
"""Beginnings of headers that speak of identity to us alone."""


class InvalidUpgrade(Exception):
    """The backend neither switched protocols nor refused to."""


@dataclass(slots=True, eq=False)
class Forwarded:
    """What a backend answered: a head that may still be changed, and a body that is still on its way."""

    status: int
    fields: list[tuple[str, str]]
    """The headers that are for the client, in their order, repeated ones too; without Content-Length."""
    body: AsyncIterator[bytes]
    length: int | None = None
    """How long the backend says the body is. None when it does not, or when `body` was replaced."""

    def value(self, name: str) -> str:
        """The first value of a header; empty when there is none."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), "")

    def response(self) -> Response:
        """The answer for the front door."""
        fields = [(name, value) for name, value in self.fields if name.lower() not in ("date", "content-type")]
        kind = self.value("content-type")
        return Response(self.status, self.body, {}, kind, length=self.length, repeated=fields)


async def forward(request: Request, backend: ConnectionStream, target: str, more: Mapping[str, str]) -> Forwarded:
    """Send `request` to `target` of `backend` with `more` headers, and read the head of what it answers.

    Raises ConnectionError when the backend does not answer properly; it is then closed. Raises BodyBroken when it is
    the client who broke off.
    """
    upload = _Upload(backend)
    headers: dict[str, str | Sequence[str]] = {**passed_on(request), **more, "Connection": "close"}
    try:
        await upload.begin(request, target, headers)
        reply = await read_reply(backend, request.method)
    except BaseException as error:
        backend.abort()
        await upload.end()
        await backend.close()
        if upload.broken is not None and isinstance(error, ConnectionError):
            raise upload.broken from error
        raise
    return Forwarded(reply.status, for_client(reply), _Download(reply, upload), _length(reply))


async def forward_upgrade(
    request: Request, backend: ConnectionStream, target: str, more: Mapping[str, str]
) -> Response:
    """Send a request that asks for SPDY or a WebSocket on. A 101 joins the connections; a refusal is passed back.

    Raises ConnectionError when the backend does not answer properly and InvalidUpgrade when it does neither; it is
    then closed.
    """
    wanted = wanted_upgrade(request.headers)
    headers = {**passed_on(request), **more, "Connection": "Upgrade", "Upgrade": wanted}
    try:
        await backend.write(request_head(request.method, target, headers))
        reply = await read_reply(backend, request.method, wanted)
    except BaseException:
        backend.abort()
        await backend.close()
        raise
    if not reply.upgraded:
        if reply.status < 400:
            await reply.close()
            raise InvalidUpgrade(f"invalid upgrade response: status code {reply.status}")
        return Forwarded(reply.status, for_client(reply), reply.body, _length(reply)).response()

    async def join(client: ByteStream) -> None:
        await splice(client, backend, halves=False)

    switch = {"Connection": "Upgrade", "Upgrade": reply.headers["upgrade"]}
    return Response(101, b"", switch, upgrade=join, repeated=for_client(reply))


def passed_on(request: Request) -> dict[str, str | Sequence[str]]:
    """The headers of a request that a backend gets, with Host and the client's address among the forwarders."""
    named = _named(request.headers.get("connection", ""))
    found: dict[str, str | Sequence[str]] = {"Host": request.headers.get("host", "")}
    for name in request.headers:
        if name in _HOP or name in _OURS or name in named or name.startswith(_PRIVATE):
            continue
        found[name] = request.values(name)
    came_by = request.headers.get("x-forwarded-for")
    if host := request.peer.host:
        found["x-forwarded-for"] = f"{came_by}, {host}" if came_by else host
    return found


def for_client(reply: Reply) -> list[tuple[str, str]]:
    """The headers of an answer that its client gets."""
    named = _named(reply.headers.get("connection", ""))
    hidden = _HOP | named | {"content-length"}
    return [(name, value) for name, value in reply.fields if name.lower() not in hidden]


def _named(connection: str) -> frozenset[str]:
    """What a Connection header declares to be of this connection alone."""
    return frozenset(token.strip().lower() for token in connection.split(",")) if connection else frozenset()


def _length(reply: Reply) -> int | None:
    text = reply.headers.get("content-length", "")
    known = text.isascii() and text.isdecimal() and len(text) < 20 and "transfer-encoding" not in reply.headers
    return int(text) if known else None


class _Upload:
    """The body of a request on its way to the backend, while the answer may already be coming back."""

    def __init__(self, backend: ConnectionStream) -> None:
        self._backend = backend
        self._tasks: Tasks | None = None
        self.broken: BodyBroken | None = None

    async def begin(self, request: Request, target: str, headers: dict[str, str | Sequence[str]]) -> None:
        """Send the head, and whatever there is of the body; the rest is sent as it comes."""
        body, known = request.body, request.headers.get("content-length")
        if isinstance(body, bytes):
            if body or request.method not in ("GET", "HEAD"):
                headers["Content-Length"] = str(len(body))
            await self._backend.write(request_head(request.method, target, headers) + body)
            return
        headers |= {"Transfer-Encoding": "chunked"} if known is None else {"Content-Length": known}
        await self._backend.write(request_head(request.method, target, headers))
        self._tasks = await Tasks().__aenter__()
        self._tasks.spawn(self._send(body, chunked=known is None), name="upload")

    async def end(self) -> None:
        """Send no more. To be called by the task that called `begin`."""
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            await tasks.__aexit__(None, None, None)

    async def _send(self, body: AsyncIterator[bytes], *, chunked: bool) -> None:
        try:
            async for piece in body:
                await self._backend.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            if chunked:
                await self._backend.write(b"0\r\n\r\n")
        except BodyBroken as error:
            self.broken = error
            self._backend.abort()
        except ConnectionError:
            pass  # the backend wants no more of it; what it has answered is still to be read


class _Download(AsyncIterator[bytes]):
    """The body of an answer; its end, wherever that is, is the upload's too."""

    def __init__(self, reply: Reply, upload: _Upload) -> None:
        self._reply = reply
        self._upload = upload

    async def __anext__(self) -> bytes:
        return await self._reply.body.__anext__()

    async def aclose(self) -> None:
        """Drop the rest, and the connection with it."""
        try:
            await self._upload.end()
        finally:
            await self._reply.close()
