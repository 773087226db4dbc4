"""The latest revision, asked for by many at once: one question at a time is on its way, and all who wait share it.

Who comes while one is on its way waits for the next: the answer under way may be older than what was acknowledged
before the question came.
"""

import asyncio
from collections.abc import Awaitable, Callable

from pilothouse.runtime.tasks import Tasks
from pilothouse.store.interface import Revision, StoreError, Unavailable


class LatestRevision:
    """Shares the answers of `ask`."""

    def __init__(self, ask: Callable[[], Awaitable[Revision]], tasks: Tasks) -> None:
        self._ask = ask
        self._tasks = tasks
        self._next: asyncio.Future[Revision] | None = None
        self._asking = False

    async def get(self) -> Revision:
        """A revision that was the latest at some moment after this call began."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            self._next.add_done_callback(_heed)
            if not self._asking:
                self._asking = True
                self._tasks.spawn(self._answer(), name="etcd-revision")
        return await asyncio.shield(self._next)

    async def _answer(self) -> None:
        try:
            while (asked := self._next) is not None:
                self._next = None
                try:
                    asked.set_result(await self._ask())
                except StoreError as error:
                    asked.set_exception(error)
                finally:
                    if not asked.done():
                        asked.set_exception(Unavailable("the store is closed"))
        finally:
            self._asking = False
            if self._next is not None and not self._next.done():
                self._next.set_exception(Unavailable("the store is closed"))


def _heed(answered: asyncio.Future[Revision]) -> None:
    """Nobody may be left to hear of a failure; that is no news."""
    if not answered.cancelled():
        answered.exception()
