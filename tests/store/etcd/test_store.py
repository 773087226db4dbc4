"""EtcdStore keeps the contract, on a real etcd; and what no real one does when asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from fakes.etcd import Etcd, new_prefix
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock
from pilothouse.store.contract import StoreContract
from pilothouse.store.etcd.connection import Refused
from pilothouse.store.etcd.store import EtcdStore
from pilothouse.store.interface import Compacted, Event, Store
from pilothouse.testing.loop import run


class TestEtcdStore(StoreContract):
    shortest_ttl = 1.0

    @pytest.fixture(autouse=True)
    def _etcd(self, etcd: Etcd) -> None:
        self.etcd = etcd

    def store(self, clock: Clock, directory: Path) -> AbstractAsyncContextManager[Store]:
        return EtcdStore(self.etcd.urls, clock, prefix=new_prefix(), compaction_seconds=0)


class TestEtcdStoreOnUvloop(TestEtcdStore):
    loop_factory = uvloop.new_event_loop


def test_an_etcd_that_stands_still_is_not_waited_for_to_tell_its_history(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(AsyncIterator[Event]):
        async def __anext__(self) -> Event:
            await asyncio.get_running_loop().create_future()
            raise AssertionError("never")

    @asynccontextmanager
    async def watch(_store: EtcdStore, _prefix: str, *, after: int) -> AsyncIterator[AsyncIterator[Event]]:
        yield Silent()

    async def refuse(*_: object, **__: object) -> None:
        raise Refused("etcdserver: mvcc: required revision has been compacted")

    monkeypatch.setattr(EtcdStore, "watch", watch)
    monkeypatch.setattr(EtcdStore, "_call", refuse)

    async def story(clock: LoopClock, _: Chance) -> None:
        with pytest.raises(Compacted) as refused:
            await EtcdStore(["http://127.0.0.1:1"], clock).list("", revision=3)
        assert refused.value.oldest == 4
        assert clock.monotonic() <= 10

    run(story)
