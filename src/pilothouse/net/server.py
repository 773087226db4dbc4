"""The front door: listens, and hands every request to one handler.

An `asyncio.Protocol` on httptools costs a quarter of what the usual frameworks do, and gives what they hide: the
client's certificate, back-pressure, and the raw connection after an upgrade. Runs on uvloop and on asyncio's own loop.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pilothouse.net.door import Door, Limits
from pilothouse.net.http import Handler
from pilothouse.net.server_connection import ServerConnection
from pilothouse.net.tls import ServerTls
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks

__all__ = ["Limits", "Listening", "serve"]

_BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class Listening:
    """A server that accepts connections."""

    host: str
    port: int
    """The port it listens on: chosen by the system when 0 was asked for."""
    _door: Door

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._door.connections)


@asynccontextmanager
async def serve(
    handler: Handler,
    host: str,
    port: int,
    tls: ServerTls | None,
    clock: Clock,
    *,
    limits: Limits | None = None,
    grace: float = 5.0,
) -> AsyncIterator[Listening]:
    """Listen on `host` and `port` while the block runs; `tls=None` speaks plain HTTP, for loopback addresses.

    On leaving, no more connections are accepted, idle ones are closed, answers under way get `grace` seconds; then
    whatever is left, streams and upgraded connections too, is dropped. Raises OSError when the port is taken.
    """
    tasks = Tasks()
    door = Door(handler, clock, limits or Limits(), tasks)
    listener = await asyncio.get_running_loop().create_server(
        _protocol(door, tls),
        host,
        port,
        ssl=tls.context if tls is not None else None,
        ssl_handshake_timeout=door.limits.head if tls is not None else None,
        ssl_shutdown_timeout=5.0 if tls is not None else None,
        backlog=_BACKLOG,
        start_serving=False,
    )
    try:
        async with tasks:
            await listener.start_serving()
            try:
                yield Listening(host, listener.sockets[0].getsockname()[1], door)
            finally:
                listener.close()
                await _drain(door, grace)
                tasks.cancel_all()
                await _all_gone(door)
    finally:
        listener.close()
        await listener.wait_closed()


def _protocol(door: Door, tls: ServerTls | None) -> Callable[[], asyncio.BaseProtocol]:
    """What meets a new connection. The library for HTTP/2 is loaded only where that is offered."""
    if tls is None or not tls.http2:
        return lambda: ServerConnection(door)
    from pilothouse.net.entrance import Entrance

    return lambda: Entrance(door)


async def _drain(door: Door, grace: float) -> None:
    door.draining = True
    for connection in list(door.connections):
        connection.retire()
    try:
        async with door.clock.timeout(grace):
            while any(connection.busy for connection in door.connections):
                door.changed.clear()
                await door.changed.wait()
    except TimeoutError:
        pass


async def _all_gone(door: Door) -> None:
    for connection in list(door.connections):
        connection.abort()
    while door.connections:
        door.changed.clear()
        await door.changed.wait()
