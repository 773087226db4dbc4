"""EtcdStore keeps the contract, on a real etcd."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import uvloop

from fakes.etcd import Etcd, new_prefix
from pilothouse.runtime.clock import Clock
from pilothouse.store.contract import StoreContract
from pilothouse.store.etcd.store import EtcdStore
from pilothouse.store.interface import Store


class TestEtcdStore(StoreContract):
    shortest_ttl = 1.0

    @pytest.fixture(autouse=True)
    def _etcd(self, etcd: Etcd) -> None:
        self.etcd = etcd

    def store(self, clock: Clock, directory: Path) -> AbstractAsyncContextManager[Store]:
        return EtcdStore(self.etcd.urls, clock, prefix=new_prefix(), compaction_seconds=0)


class TestEtcdStoreOnUvloop(TestEtcdStore):
    loop_factory = uvloop.new_event_loop
