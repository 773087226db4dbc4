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
        self._waiting: list[asyncio.Future[Revision]] = []
        """Those of the next question. A future for each: to shield one for all costs more."""
        self._asking = False

    async def get(self) -> Revision:
        """A revision that was the latest at some moment after this call began."""
        waiter: asyncio.Future[Revision] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        if not self._asking:
            self._asking = True
            self._tasks.spawn(self._answer(), name="etcd-revision")
        return await waiter

    async def _answer(self) -> None:
        asked: list[asyncio.Future[Revision]] = []
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, []
                try:
                    revision = await self._ask()
                except StoreError as error:
                    _fail(asked, error)
                else:
                    for waiter in asked:
                        if not waiter.done():
                            waiter.set_result(revision)
        finally:
            self._asking = False
            _fail(asked + self._waiting, Unavailable("the store is closed"))


def _fail(waiting: list[asyncio.Future[Revision]], error: StoreError) -> None:
    for waiter in waiting:
        if not waiter.done():
            waiter.set_exception(error)
