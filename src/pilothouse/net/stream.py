"""A connection as raw bytes both ways: what an upgrade hands over, and what `dial` returns.

Reading pauses while the reader is behind, writing waits while the peer is: a splice of two streams therefore holds a
bounded amount, however unequal their speeds.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

from pilothouse.net.outflow import Outflow
from pilothouse.runtime.clock import Clock

HIGH_WATER = 256 * 1024
_FAREWELL = 5.0
"""How long a closed connection may take to send what is left."""


class ConnectionStream(asyncio.Protocol):
    """A ByteStream over an asyncio transport."""

    def __init__(self, clock: Clock, on_lost: Callable[[Exception | None], None] | None = None) -> None:
        self._clock = clock
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._out: Outflow | None = None
        self._pieces: deque[bytes] = deque()
        self._buffered = 0
        self._paused = False
        self._ended = False
        self._error: Exception | None = None
        self._can_half_close = True
        self._reader: asyncio.Future[None] | None = None
        self._gone = asyncio.Event()

    def take_over(self, transport: asyncio.Transport, out: Outflow, unread: bytes) -> None:
        """Go on with a connection that something else began; `unread` came after what that understood."""
        self._begin(transport, out)
        transport.pause_reading()  # how bytes are read is settled when reading begins
        transport.set_protocol(self)
        transport.resume_reading()
        if unread:
            self.data_received(unread)
        if out.lost:
            self.connection_lost(None)

    async def read(self) -> bytes:
        """The next bytes; empty at the end of the peer's stream."""
        while not self._pieces:
            if self._error is not None:
                raise ConnectionResetError(str(self._error) or "the peer has left") from self._error
            if self._ended:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        piece = self._pieces.popleft()
        self._buffered -= len(piece)
        if self._paused and self._buffered < HIGH_WATER // 2 and self._transport is not None:
            self._paused = False
            if not self._gone.is_set():
                self._transport.resume_reading()
        return piece

    def unread(self, data: bytes) -> None:
        """Put back what was read too far."""
        if data:
            self._pieces.appendleft(data)
            self._buffered += len(data)

    async def write(self, data: bytes) -> None:
        """Send, waiting while the peer is slow. Raises ConnectionError when it is gone."""
        if self._out is None or self._is_closing():
            raise ConnectionResetError("the connection is closed")
        await self._out.write(data)

    def write_eof(self) -> None:
        """Close our half. TLS has no halves: there it closes the connection once what was written is sent."""
        if self._transport is None or self._is_closing():
            return
        if self._can_half_close:
            self._transport.write_eof()
        else:
            self._transport.close()

    async def close(self) -> None:
        """Close both halves; what was written is still sent, unless the peer does not take it."""
        if self._transport is None:
            return
        self._transport.close()
        try:
            async with self._clock.timeout(_FAREWELL):
                await self._gone.wait()
        except TimeoutError:
            self._transport.abort()
            await self._gone.wait()

    def abort(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A dialled connection is there."""
        dialled = cast("asyncio.Transport", transport)
        self._begin(dialled, Outflow(dialled, self._clock, None))

    def data_received(self, data: bytes) -> None:
        """More bytes."""
        self._pieces.append(data)
        self._buffered += len(data)
        if self._buffered > HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """The peer has closed its half; ours stays open where the transport can."""
        self._ended = True
        self._wake()
        return self._can_half_close

    def connection_lost(self, error: Exception | None) -> None:
        """The end."""
        self._error = error
        self._ended = True
        self._gone.set()
        if self._out is not None:
            self._out.lose()
        self._wake()
        if self._on_lost is not None:
            self._on_lost(error)

    def pause_writing(self) -> None:
        """The transport holds enough."""
        if self._out is not None:
            self._out.pause()

    def resume_writing(self) -> None:
        """The transport has room again."""
        if self._out is not None:
            self._out.resume()

    def _begin(self, transport: asyncio.Transport, out: Outflow) -> None:
        self._transport = transport
        self._out = out
        self._can_half_close = transport.can_write_eof() and transport.get_extra_info("sslcontext") is None

    def _is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
