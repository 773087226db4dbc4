"""Tasks: background work with one owner.

Whoever starts work takes a `Tasks` as an argument; whoever runs a component opens one. Leaving the block stops what
still runs and waits until it has; a task that fails stops the others and the body, and the failure leaves the block
as an ExceptionGroup. So nothing runs unseen, and nothing outlives its owner.
"""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Tasks:
    """A TaskGroup whose tasks are background work: they end when the block does."""

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._running: dict[asyncio.Task[Any], None] = {}

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel_all()
        await self._group.__aexit__(kind, error, trace)

    def spawn(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Start `work`. The task may be awaited or cancelled by itself; its failure is everybody's."""
        task = self._group.create_task(work, name=name)
        self._running[task] = None
        task.add_done_callback(self._forget)
        return task

    def cancel_all(self) -> None:
        """Ask every task to stop, in the order they were started."""
        for task in list(self._running):
            task.cancel()

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._running.pop(task, None)
