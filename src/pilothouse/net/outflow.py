"""Outflow: writes that wait while the peer is slow.

asyncio takes any amount and only asks to be spared (`pause_writing`). Here whoever writes much does it in slices of
256 KB and waits in between, so that a slow reader holds one slice of our memory and no callback runs for long.
"""

import asyncio
from collections.abc import Sequence

from pilothouse.runtime.clock import Clock

SLICE = 256 * 1024


class Outflow:
    """The writing half of a connection. A peer that takes nothing for `stall` seconds counts as gone."""

    def __init__(self, transport: asyncio.Transport, clock: Clock, stall: float | None) -> None:
        self._transport = transport
        self._clock = clock
        self._stall = stall
        self._paused = False
        self._slicing = False
        """Whether something is sent in slices, between which nothing else may come."""
        self._offered: list[bytes] = []
        """What leaves together at the end of this turn of the loop: one TLS record, one call of the kernel."""
        self._offered_size = 0
        self._waiters: list[asyncio.Future[None]] = []
        self.lost = False

    @property
    def paused(self) -> bool:
        """Whether the peer is slow: who writes on should `drain`."""
        return self._paused

    def pause(self) -> None:
        """The transport holds enough."""
        self._paused = True

    def resume(self) -> None:
        """The transport has room again."""
        self._paused = False
        self._wake()

    def lose(self) -> None:
        """The connection is gone."""
        self.lost = True
        self._wake()

    async def drain(self) -> None:
        """Wait for room. Raises ConnectionError when the peer is gone or takes nothing."""
        while self._paused and not self.lost:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                async with self._clock.timeout(self._stall):
                    await waiter
            except TimeoutError:
                self._transport.abort()
                raise ConnectionAbortedError("the peer does not read") from None
            finally:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
        if self.lost:
            raise ConnectionResetError("the peer has left")

    def offer(self, data: bytes) -> bool:
        """Send `data` soon, if nothing is under way and there is room; whether that will be done."""
        if self._paused or self._slicing or self.lost or self._offered_size >= SLICE:
            return False
        if not self._offered:
            asyncio.get_running_loop().call_soon(self._send_offered)
        self._offered.append(data)
        self._offered_size += len(data)
        return True

    def _send_offered(self) -> None:
        offered, self._offered = self._offered, []
        self._offered_size = 0
        if offered and not self.lost:
            self._transport.write(offered[0] if len(offered) == 1 else b"".join(offered))

    async def write(self, data: bytes) -> None:
        """Send `data`, in slices when it is large."""
        if len(data) <= SLICE:
            if self.lost:
                raise ConnectionResetError("the peer has left")
            self._send_offered()
            self._transport.write(data)
            if self._paused:
                await self.drain()
            return
        await self.write_pieces([data])

    async def write_pieces(self, pieces: Sequence[bytes | memoryview]) -> None:
        """Send many pieces, as many at a time as fit into a slice."""
        batch: list[bytes | memoryview] = []
        size = 0
        self._send_offered()
        self._slicing = True
        try:
            for piece in pieces:
                for part in _parts(piece):
                    if size + len(part) > SLICE:
                        await self._send(batch)
                        batch, size = [], 0
                    batch.append(part)
                    size += len(part)
            await self._send(batch)
        finally:
            self._slicing = False

    async def _send(self, batch: list[bytes | memoryview]) -> None:
        if self.lost:
            raise ConnectionResetError("the peer has left")
        if batch:
            self._transport.write(b"".join(batch))  # by writelines, TLS would make a record of every piece
        await (self.drain() if self._paused else self._clock.sleep(0))

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


def _parts(piece: bytes | memoryview) -> Sequence[bytes | memoryview]:
    if len(piece) <= SLICE:
        return (piece,)
    view = memoryview(piece)
    return [view[start : start + SLICE] for start in range(0, len(piece), SLICE)]
