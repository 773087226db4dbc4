"""Latest: an inbox that holds one value, the newest. What came before and was not taken is gone.

For workers that act on what is, not on what happened: a pod worker needs the pod as it is now, not each change.
"""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """One slot between writers, who never wait, and one reader."""

    def __init__(self) -> None:
        self._value: list[T] = []
        self._full = asyncio.Event()

    def put(self, value: T) -> None:
        """Leave `value`, replacing what was not taken yet."""
        self._value[:] = [value]
        self._full.set()

    async def get(self) -> T:
        """Take the newest value, waiting for one."""
        while not self._value:
            self._full.clear()
            await self._full.wait()
        return self._value.pop()

    def take(self) -> T | None:
        """Take the newest value if there is one."""
        return self._value.pop() if self._value else None

    def __bool__(self) -> bool:
        return bool(self._value)
