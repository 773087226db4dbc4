"""The body of a request that did not arrive at once: pieces, read as they come, with back-pressure."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from pilothouse.runtime.clock import Clock

HIGH_WATER = 256 * 1024
_SMALL = 4096
"""Pieces below this are put together: each by itself would weigh more than it says."""


class BodyBroken(ConnectionError):
    """The body ended early, was malformed, or stopped coming."""


class RequestBody(AsyncIterator[bytes]):
    """Filled by the connection, emptied by the handler."""

    __slots__ = (
        "_asked",
        "_buffered",
        "_clock",
        "_flow",
        "_patience",
        "_pieces",
        "_waiter",
        "broken",
        "complete",
        "wanted",
    )

    def __init__(self, clock: Clock, patience: float, flow: Callable[[bool], None]) -> None:
        self._clock = clock
        self._patience = patience
        self._flow = flow
        """Told False when enough is buffered, True when more is welcome."""
        self._pieces: deque[bytes | bytearray] = deque()
        self._buffered = 0
        self._waiter: asyncio.Future[None] | None = None
        self._asked = False
        self.complete = False
        self.broken = ""
        self.wanted: Callable[[], None] | None = None
        """Called when the handler first asks, for clients that wait for `100 Continue`."""

    def feed(self, piece: bytes) -> None:
        """A piece came."""
        if len(piece) >= _SMALL:
            self._pieces.append(piece)
        elif self._pieces and isinstance(last := self._pieces[-1], bytearray):
            last += piece
        else:
            self._pieces.append(bytearray(piece))
        self._buffered += len(piece)
        if self._buffered > HIGH_WATER:
            self._flow(False)
        self._wake()

    def finish(self) -> None:
        """That was all."""
        self.complete = True
        self._wake()

    def fail(self, why: str) -> None:
        """There will be no more, though there should."""
        self.broken = self.broken or why
        self._wake()

    def take(self) -> bytes:
        """All that came so far."""
        found = b"".join(self._pieces)
        self._pieces.clear()
        self._buffered = 0
        return found

    async def __anext__(self) -> bytes:
        if not self._asked:
            self._asked = True
            if self.wanted is not None and not self._pieces and not self.complete:
                self.wanted()
        while not self._pieces:
            if self.complete:
                raise StopAsyncIteration
            if self.broken:
                raise BodyBroken(self.broken)
            await self._news()
        piece = bytes(self._pieces.popleft())
        self._buffered -= len(piece)
        if self._buffered < HIGH_WATER // 2:
            self._flow(True)
        return piece

    async def _news(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with self._clock.timeout(self._patience):
                await self._waiter
        except TimeoutError:
            self.fail("the body stopped coming")
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
