"""Retry: read, change and write again when another writer was faster.

Prefer a patch without a resourceVersion where the change does not depend on what was read.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pilothouse.api.machinery.errors import Conflict
from pilothouse.runtime.clock import Clock

T = TypeVar("T")

ATTEMPTS = 5
PAUSE = 0.01


async def retry_on_conflict(clock: Clock, attempt: Callable[[], Awaitable[T]], *, attempts: int = ATTEMPTS) -> T:
    """Run `attempt`, which reads anew each time, until it meets no Conflict; the last one is raised."""
    for _ in range(attempts - 1):
        try:
            return await attempt()
        except Conflict:
            await clock.sleep(PAUSE)
    return await attempt()
