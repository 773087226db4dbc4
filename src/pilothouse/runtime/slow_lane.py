"""SlowLane: a thread for computations that would hold the event loop for too long.

There is one, whoever asks, and work waits for its turn: several would not be faster, for they share the interpreter's
lock, and the loop would wait for each of them in turn. With one it waits for no more than a switch of threads (5 ms)
while Python code runs there. A single call into C holds the lock to its end, whichever thread makes it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")


class SlowLane:
    """Runs pure functions elsewhere. The thread is made when it is first needed and ends with the block."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises. Cancelling a caller whose turn has not come takes its work away."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="slow lane")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False, cancel_futures=True)
            await asyncio.to_thread(thread.shutdown)
