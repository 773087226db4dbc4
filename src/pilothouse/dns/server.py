"""Server: sockets around `Resolution`, UDP and TCP on the same address.

An address may be bound before the network has put it on the machine (IP_FREEBIND), so that DNS and the pod network
may start in any order. RFC 7766 for TCP: many queries a connection, answered as they are ready.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast

from pilothouse.dns.resolve import Resolution
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.tasks import Tasks

IDLE = 10.0
"""Seconds after which a silent TCP connection is closed."""
CONNECTIONS = 500
"""TCP connections at once; further ones are closed as they come."""
_IP_FREEBIND, _IPV6_FREEBIND = 15, 78


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int = 53


class _Datagrams(asyncio.DatagramProtocol):
    """Questions by UDP."""

    def __init__(self, resolution: Resolution, tasks: Tasks) -> None:
        self._resolution = resolution
        self._tasks = tasks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._resolution.resolve(data, stream=False)
        if isinstance(answer, bytes):
            self._transport.sendto(answer, addr)
        elif answer is not None:
            self._tasks.spawn(self._later(answer, addr), name="dns question")

    async def _later(self, answer: Awaitable[bytes], addr: tuple[str, int]) -> None:
        packet = await answer
        if not self._transport.is_closing():
            self._transport.sendto(packet, addr)


class Server:
    """Listens while its block lasts."""

    def __init__(self, resolution: Resolution, addresses: tuple[Address, ...], clock: Clock) -> None:
        self._resolution = resolution
        self._addresses = addresses
        self._clock = clock
        self._tasks = Tasks()
        self._stack = contextlib.AsyncExitStack()
        self._connections = 0
        self.bound: list[Address] = []
        """The addresses as they are, where port 0 was asked for."""

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._tasks)
        try:
            for address in self._addresses:
                await self._listen(address)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def _listen(self, address: Address) -> None:
        stream = _socket(address, socket.SOCK_STREAM)
        bound = Address(address.host, stream.getsockname()[1])
        try:
            datagram = _socket(bound, socket.SOCK_DGRAM)
        except OSError:
            stream.close()
            raise
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self._resolution, self._tasks), sock=datagram
        )
        self._stack.callback(transport.close)
        server = await asyncio.start_server(self._connected, sock=stream)
        self._stack.callback(server.close)
        self.bound.append(bound)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._connections >= CONNECTIONS:
            writer.close()
            return
        self._connections += 1
        self._tasks.spawn(self._serve(reader, writer), name="dns connection")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async for packet in self._packets(reader):
                answer = self._resolution.resolve(packet, stream=True)
                if answer is None:
                    break
                whole = answer if isinstance(answer, bytes) else await answer
                writer.write(len(whole).to_bytes(2, "big") + whole)
                async with self._clock.timeout(IDLE):
                    await writer.drain()
        except (ConnectionError, TimeoutError):
            pass  # the asker went away, or reads nothing
        finally:
            self._connections -= 1
            writer.close()

    async def _packets(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        while True:
            try:
                async with self._clock.timeout(IDLE):
                    length = int.from_bytes(await reader.readexactly(2), "big")
                    packet = await reader.readexactly(length)
            except asyncio.IncompleteReadError:
                return
            yield packet


def _socket(address: Address, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    opened = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        else:
            opened.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        if kind == socket.SOCK_STREAM:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setblocking(False)
        opened.bind((address.host, address.port))
    except OSError:
        opened.close()
        raise
    return opened
