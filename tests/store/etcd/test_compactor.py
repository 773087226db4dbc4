"""Several compactors on one etcd: one of them compacts in each round, to where the round before ended."""

import asyncio
from collections.abc import Iterator

import pytest

from fakes.etcd import Etcd, skip_without_etcd
from pilothouse.runtime.clock import SystemClock
from pilothouse.store.etcd.compactor import Compactor
from pilothouse.store.etcd.connection import Connection
from pilothouse.store.etcd.store import EtcdStore
from pilothouse.store.interface import Compacted

CLOCK = SystemClock()


@pytest.fixture
def own() -> Iterator[Etcd]:
    """The record that compactors agree by is one for the whole etcd."""
    skip_without_etcd()
    with Etcd.running() as etcd:
        yield etcd


def test_one_of_several_compacts_to_the_round_before(own: Etcd) -> None:
    async def main() -> None:
        async with Connection(own.urls, None, CLOCK) as connection, EtcdStore(own.urls, CLOCK) as store:
            one, other = (Compactor(connection, CLOCK, 300) for _ in range(2))
            first = await store.create("/a", b"")
            assert not await one.take_turn(), "nothing is known of five minutes ago"
            assert not await other.take_turn(), "the round is taken"
            second = await store.update("/a", b"", expected=first.revision)
            assert (await store.list("", revision=first.revision)).records == [first]
            turns = [await one.take_turn(), await other.take_turn()]
            assert turns == [True, False]
            with pytest.raises(Compacted):
                await store.list("", revision=first.revision)
            assert (await store.list("", revision=second.revision)).records == [second]
            turns = [await other.take_turn(), await one.take_turn()]
            assert turns == [True, False], "whoever comes first"
            with pytest.raises(Compacted):
                await store.list("", revision=second.revision)

    asyncio.run(main())


def test_a_store_takes_part_by_itself(own: Etcd) -> None:
    async def main() -> None:
        async with CLOCK.timeout(20), EtcdStore(own.urls, CLOCK, compaction_seconds=0.1) as store:
            first = await store.create("/a", b"")
            while True:
                try:
                    await store.list("", revision=first.revision)
                except Compacted:
                    break
                await CLOCK.sleep(0.05)

    asyncio.run(main())
