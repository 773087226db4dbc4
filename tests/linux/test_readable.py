"""Waiting for a descriptor: until there is something, without end, and with nothing left behind."""

import asyncio
import os

import pytest

from pilothouse.linux.readable import readable
from pilothouse.runtime.clock import SystemClock


def test_it_returns_when_something_is_there_and_not_before() -> None:
    async def main() -> None:
        reader, writer = os.pipe2(os.O_NONBLOCK)
        try:
            waiting = asyncio.get_running_loop().create_task(readable(reader))
            await SystemClock().sleep(0)
            assert not waiting.done()
            os.write(writer, b"x")
            async with SystemClock().timeout(10):
                await waiting
            assert not asyncio.get_running_loop().remove_reader(reader)
        finally:
            os.close(reader)
            os.close(writer)

    asyncio.run(main())


def test_whoever_waits_no_more_leaves_nothing_behind() -> None:
    async def main() -> None:
        reader, writer = os.pipe2(os.O_NONBLOCK)
        try:
            with pytest.raises(TimeoutError):
                async with SystemClock().timeout(0):
                    await readable(reader)
            assert not asyncio.get_running_loop().remove_reader(reader)
        finally:
            os.close(reader)
            os.close(writer)

    asyncio.run(main())
