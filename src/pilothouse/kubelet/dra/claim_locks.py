"""Claims are made ready and taken back by one pod at a time, each claim by itself."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from pilothouse.kubelet.dra.claim_info import Place


class ClaimLocks:
    """Of one node. Whoever needs several takes them in their order, so that nobody waits for ever."""

    def __init__(self) -> None:
        self._locks: dict[Place, asyncio.Lock] = {}
        self._wanted: dict[Place, int] = {}

    @asynccontextmanager
    async def hold(self, places: Iterable[Place]) -> AsyncIterator[None]:
        """Have these claims to oneself inside the block."""
        async with AsyncExitStack() as stack:
            for place in sorted(set(places)):
                await stack.enter_async_context(self._one(place))
            yield

    @asynccontextmanager
    async def _one(self, place: Place) -> AsyncIterator[None]:
        lock = self._locks.setdefault(place, asyncio.Lock())
        self._wanted[place] = self._wanted.get(place, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._wanted[place] -= 1
            if not self._wanted[place]:
                del self._wanted[place], self._locks[place]
