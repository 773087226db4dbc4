"""Hold: keeps virtual time still while something real is under way.

Under the virtual-time loop of `pilothouse.testing` time jumps as soon as nothing is ready to run. Whoever waits for
a thread or another thing the loop cannot see takes a hold for as long. On any other loop it does nothing.
"""

import asyncio
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, runtime_checkable


@runtime_checkable
class HoldsTime(Protocol):
    """A loop whose time is virtual."""

    def hold(self, why: str) -> AbstractContextManager[None]:
        """Keep time still inside the block."""
        ...


def hold(why: str) -> AbstractContextManager[None]:
    """Keep the running loop's time still inside the block, where that time is virtual."""
    loop = asyncio.get_running_loop()
    return loop.hold(why) if isinstance(loop, HoldsTime) else nullcontext()
