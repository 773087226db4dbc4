"""Waits until there is something to read from a descriptor that does not block."""

import asyncio


async def readable(descriptor: int) -> None:
    """Return when it can be read. One waits at a time."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
