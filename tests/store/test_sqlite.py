import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import uvloop

from pilothouse.runtime.clock import Clock
from pilothouse.store.contract import StoreContract
from pilothouse.store.interface import Store
from pilothouse.store.sqlite import SqliteStore


class TestSqliteStore(StoreContract):
    def store(self, clock: Clock, directory: Path) -> AbstractAsyncContextManager[Store]:
        return SqliteStore(directory / "state.db", clock)


class TestSqliteStoreOnUvloop(TestSqliteStore):
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = staticmethod(uvloop.new_event_loop)
