"""One gRPC server: a connection to it, made when it is needed, and again when it is gone.

Who finds no connection makes one while the others wait for it. After a failure all fail by it for a moment, so that
a server that is not there is not asked by every call.
"""

import asyncio
import ssl
from collections.abc import Callable
from math import inf

from pilothouse.net.grpc_connection import GrpcConnection
from pilothouse.net.grpc_frames import GrpcCode, GrpcError, head
from pilothouse.net.grpc_stream import GrpcStream
from pilothouse.runtime.clock import Clock

_DIAL = 2.0
"""Seconds until the server has taken the connection and spoken."""
_PAUSE = 0.1
_UNIX = "unix:"
_LOCAL = "localhost:0"
"""Who is asked for behind a socket of this machine."""
_NEVER_SENT = "failed to connect to all addresses"
"""As gRPC's libraries say it."""


class GrpcChannel:
    """A server at `address`: a host and a port, or `unix:` and a socket's path.

    With `tls` it must show a certificate for its name.
    """

    def __init__(self, address: str, tls: ssl.SSLContext | None, clock: Clock) -> None:
        kind, _, self._path = address.partition(_UNIX)
        self._local = not kind and bool(self._path)
        host, _, port = (_LOCAL if self._local else address).rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError(f"{address}: an address is a host and a port, or unix: and a path")
        self._host, self._port = host.strip("[]"), int(port)
        self._address = address
        self._authority = host if self._local else address
        self._tls = tls
        self._clock = clock
        self._heads: dict[str, bytes] = {}
        self._connection: GrpcConnection | None = None
        self._all: dict[GrpcConnection, None] = {}
        """It, and those that serve their last calls."""
        self._dialling = asyncio.Lock()
        self._failed = -inf
        self._failure = ""
        self._closed = False

    async def call(self, path: str, message: bytes, seconds: float) -> bytes:
        """A unary call. Raises GrpcError."""
        opening = self._heads.get(path) or self._head(path)
        connection = self._connection
        if connection is not None and not connection.retired:
            try:
                return await connection.call(opening, message, seconds)
            except GrpcError as error:
                if error.sent or not connection.retired:
                    raise  # else the server was about to close the connection, and did not look at the call
        begun = self._clock.monotonic()
        connection = await self._connected(seconds)
        left = max(seconds - (self._clock.monotonic() - begun), 0.001)
        return await connection.call(opening, message, left)

    async def stream(self, path: str, more: tuple[tuple[str, str], ...] = ()) -> GrpcStream:
        """A call that lasts, whose head says `more`. Raises GrpcError."""
        connection = await self._connected(_DIAL)
        return await connection.stream(self._new_head(path, more))

    async def until_lost(self, connected: Callable[[], None]) -> None:
        """Have a connection, tell that there is one, and wait until it is gone. Raises GrpcError."""
        connection = await self._connected(_DIAL)
        connected()
        await asyncio.shield(connection.lost)

    def end_lasting(self, error: GrpcError) -> None:
        """End all calls that last."""
        for connection in list(self._all):
            connection.end_lasting(error)

    async def close(self) -> None:
        """End everything, now and for ever."""
        self._closed = True
        for connection in list(self._all):
            connection.abort()
            await asyncio.shield(connection.lost)  # others may wait for it too

    def _head(self, path: str) -> bytes:
        made = self._heads[path] = self._new_head(path)
        return made

    def _new_head(self, path: str, more: tuple[tuple[str, str], ...] = ()) -> bytes:
        return head(path, self._authority, "https" if self._tls else "http", more)

    async def _connected(self, seconds: float) -> GrpcConnection:
        try:
            async with self._clock.timeout(seconds), self._dialling:
                if self._connection is None or self._connection.retired:
                    self._connection = await self._dial()
                return self._connection
        except TimeoutError:
            raise self._refusal("no connection in time") from None

    async def _dial(self) -> GrpcConnection:
        if self._closed:
            raise self._refusal("the channel is closed")
        if self._clock.monotonic() < self._failed + _PAUSE:
            raise self._refusal(self._failure)
        try:
            async with self._clock.timeout(_DIAL):
                return await self._connect()
        except TimeoutError:
            failure = "it does not answer"
        except OSError as error:
            failure = str(error)
        self._failed, self._failure = self._clock.monotonic(), failure
        raise self._refusal(failure)

    async def _connect(self) -> GrpcConnection:
        """Raises OSError, which is what TLS fails with too."""
        # Who dies on this machine closes its sockets, and servers take offence at being asked too often.
        connection = GrpcConnection(self._clock, self._forget, asks=not self._local)
        try:
            await self._open(connection)
            self._all[connection] = None
            await asyncio.shield(connection.ready)
            if connection.retired:
                raise ConnectionResetError("it ends connections before it speaks")
        except BaseException:  # a loop that is interrupted may drop the transport and tell nobody
            connection.abort()
            raise
        return connection

    async def _open(self, connection: GrpcConnection) -> None:
        loop = asyncio.get_running_loop()
        name = self._host if self._tls is not None else None
        if self._local:
            await loop.create_unix_connection(lambda: connection, self._path, ssl=self._tls, server_hostname=name)
        else:
            await loop.create_connection(
                lambda: connection, self._host, self._port, ssl=self._tls, server_hostname=name
            )

    def _forget(self, connection: GrpcConnection) -> None:
        self._all.pop(connection, None)

    def _refusal(self, why: str) -> GrpcError:
        return GrpcError(GrpcCode.UNAVAILABLE, f"{_NEVER_SENT}: {self._address}: {why}", sent=False)
