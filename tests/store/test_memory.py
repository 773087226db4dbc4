import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import uvloop

from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.store.contract import StoreContract
from pilothouse.store.interface import Compacted, Store
from pilothouse.store.memory import MemoryStore
from pilothouse.testing.loop import run


class TestMemoryStore(StoreContract):
    def store(self, clock: Clock, directory: Path) -> AbstractAsyncContextManager[Store]:
        return MemoryStore(clock)


class TestMemoryStoreOnUvloop(TestMemoryStore):
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = staticmethod(uvloop.new_event_loop)


def test_history_is_kept_for_five_minutes_of_virtual_time() -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        store = MemoryStore(clock)
        record = await store.create("/a", b"")
        first = record.revision
        async with store.watch("", after=first) as events:
            for _ in range(59):
                await clock.sleep(5)
                record = await store.update("/a", b"", expected=record.revision)
            assert (await store.list("", revision=first)).records[0].revision == first
            for _ in range(4):
                await clock.sleep(5)
                record = await store.update("/a", b"", expected=record.revision)
            with pytest.raises(Compacted):
                await store.list("", revision=first)
            assert (await store.list("", revision=record.revision - 55)).records[0].revision == record.revision - 55
            assert (await anext(events)).revision == first + 1, "what waits for a reader is not forgotten"

    run(main)
