"""Transports: how a request reaches the API server, over HTTPS or in the same process.

Both speak HTTP: the in-process transport builds the Request that the front door would have built and calls the same
handler, so that nothing above can tell one from the other.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from pilothouse.client.connection import READ, Connection
from pilothouse.net.answer import dispose
from pilothouse.net.http import Handler, Peer, Request, Response
from pilothouse.net.pki import KeyPair
from pilothouse.net.tls import load_pair
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.deadlines import Deadlines

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, with the whole body. Header names are in lower case."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """What comes back piece by piece."""

    status: int
    headers: Headers
    body: AsyncIterator[bytes]

    async def read(self) -> bytes:
        """The rest of the body."""
        return b"".join([piece async for piece in self.body])


class Transport(Protocol):
    """The way to one API server with one identity. Raises ConnectionError or TimeoutError when it is not there."""

    async def send(self, method: str, target: str, headers: Headers, body: bytes = b"") -> Answer:
        """One request, answered whole."""
        ...

    def stream(self, method: str, target: str, headers: Headers) -> AbstractAsyncContextManager[StreamedAnswer]:
        """One request whose answer is read as it comes; leaving the block ends it."""
        ...


class HandlerTransport:
    """Calls the API server's handler in this process. `identity` is who we are: whoever built this vouches for it."""

    def __init__(self, handler: Handler, identity: object) -> None:
        self._handler = handler
        self._peer = Peer(address="", identity=identity)

    async def send(self, method: str, target: str, headers: Headers, body: bytes = b"") -> Answer:
        """One request, answered whole."""
        response = await self._handler(Request(method, target, headers, self._peer, body))
        try:
            whole = b"".join([piece async for piece in _pieces(response)])
        finally:
            await dispose(response)
        return Answer(response.status, _headers(response), whole)

    @asynccontextmanager
    async def stream(self, method: str, target: str, headers: Headers) -> AsyncIterator[StreamedAnswer]:
        """One request whose answer is read as it comes."""
        response = await self._handler(Request(method, target, headers, self._peer))
        try:
            yield StreamedAnswer(response.status, _headers(response), _pieces(response))
        finally:
            await dispose(response)


def _headers(response: Response) -> dict[str, str]:
    lower = {name.lower(): value for name, value in (*response.headers.items(), *response.repeated)}
    return {"content-type": response.content_type, **lower}


async def _pieces(response: Response) -> AsyncIterator[bytes]:
    body = response.body
    if isinstance(body, bytes):
        yield body
    elif isinstance(body, AsyncIterator):
        async for piece in body:
            yield piece
    else:
        for part in body:
            yield bytes(part)


class HttpTransport:
    """HTTPS (or HTTP, to a loopback address) with kept-alive connections.

    The identity is a client certificate in `tls`, which `renew` replaces, or the bearer token that `token` returns,
    asked for every request because mounted tokens are rotated.
    """

    def __init__(
        self,
        server: str,
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
        server_name: str = "",
        token: Callable[[], str] | None = None,
        timeout: float = 60.0,
        connections: int = 32,
    ) -> None:
        url = urlsplit(server)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(f"{server!r} is not the URL of an API server")
        self._host = url.hostname
        self._port = url.port or (443 if url.scheme == "https" else 80)
        self._authority = url.netloc
        self._prefix = url.path.rstrip("/")
        self._tls = (tls or ssl.create_default_context()) if url.scheme == "https" else None
        self._server_name = (server_name or url.hostname) if self._tls else None
        self._clock = clock
        self._token = token
        self._timeout = timeout
        self._deadlines = Deadlines(clock, timeout)
        self._idle: list[Connection] = []
        self._places = asyncio.Semaphore(connections)
        self._arriving: memoryview | None = None

    async def send(self, method: str, target: str, headers: Headers, body: bytes = b"") -> Answer:
        """One request, answered whole. A kept connection that died meanwhile is replaced without a word."""
        request = self._head(method, target, headers, len(body)) + body
        async with self._places:
            with self._deadlines.begin():
                return await self._deliver(method, request)

    async def _deliver(self, method: str, request: bytes) -> Answer:
        idle = self._idle
        while idle:
            connection = idle.pop()
            if not connection.reusable:
                connection.close()
                continue
            try:
                return await self._exchange(connection, request, idle)
            except ConnectionError:
                if connection.answered or method != "GET":
                    raise
        return await self._exchange(await self._connect(), request, idle)

    @asynccontextmanager
    async def stream(self, method: str, target: str, headers: Headers) -> AsyncIterator[StreamedAnswer]:
        """One request on a connection of its own, whose answer is read as it comes."""
        async with self._clock.timeout(self._timeout):
            connection = await self._connect()
            try:
                await connection.exchange(self._head(method, target, headers, 0))
            except BaseException:
                connection.close()
                raise
        try:
            yield StreamedAnswer(connection.status, connection.headers, _body(connection))
        finally:
            connection.close()

    def renew(self, pair: KeyPair) -> None:
        """Show `pair` on every connection from now on. What is under way, watches above all, goes on to its end on the
        connection that it has, which then serves nothing else. Raises ssl.SSLError when it is no pair.
        """
        if self._tls is not None:
            load_pair(self._tls, pair)
        old, self._idle = self._idle, []
        for connection in old:
            connection.close()

    async def close(self) -> None:
        """Close the idle connections and let the loop see them go."""
        while self._idle:
            self._idle.pop().close()
        await self._clock.sleep(0)

    async def _exchange(self, connection: Connection, request: bytes, idle: list[Connection]) -> Answer:
        try:
            await connection.exchange(request)
            whole = await connection.whole()
        except BaseException:
            connection.close()
            raise
        if connection.reusable and idle is self._idle:
            idle.append(connection)
        else:
            connection.close()
        return Answer(connection.status, connection.headers, whole)

    async def _connect(self) -> Connection:
        if self._arriving is None:
            self._arriving = memoryview(bytearray(READ))
        arriving = self._arriving
        transport, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(arriving), self._host, self._port, ssl=self._tls, server_hostname=self._server_name
        )
        raw = transport.get_extra_info("socket")
        with suppress(OSError):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000)
        return connection

    def _head(self, method: str, target: str, headers: Headers, length: int) -> bytes:
        lines = [f"{method} {self._prefix}{target} HTTP/1.1", f"Host: {self._authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if self._token is not None and "authorization" not in headers:
            lines.append(f"Authorization: Bearer {self._token()}")
        if length or method not in ("GET", "HEAD"):
            lines.append(f"Content-Length: {length}")
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header or the target contains a line break")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _body(connection: Connection) -> AsyncIterator[bytes]:
    while piece := await connection.piece():
        yield piece
