import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path

import pytest
import uvloop

from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock, LoopClock, SystemClock
from pilothouse.store.contract import StoreContract
from pilothouse.store.interface import Compacted, Event, Store, Unavailable
from pilothouse.store.sqlite import SqliteStore
from pilothouse.testing.loop import run


class TestSqliteStore(StoreContract):
    def store(self, clock: Clock, directory: Path) -> AbstractAsyncContextManager[Store]:
        return SqliteStore(directory / "state.db", clock)


class TestSqliteStoreOnUvloop(TestSqliteStore):
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = staticmethod(uvloop.new_event_loop)


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def test_churn_under_a_reader_that_stands_still_keeps_the_files_small(tmp_path: Path) -> None:
    clock, path = SystemClock(), tmp_path / "state.db"

    async def main() -> None:
        async with SqliteStore(path, clock, history_bytes=2 << 20) as store:
            records = await asyncio.gather(*(store.create(f"/{n}", b"x" * 1500) for n in range(200)))
            start = records[-1].revision
            largest = 0
            async with store.watch("", after=start) as events:
                for _ in range(100):
                    calls = (store.update(r.key, r.value, expected=r.revision) for r in records)
                    records = await asyncio.gather(*calls)
                    largest = max(largest, log_of(path).stat().st_size)
                with pytest.raises(Compacted) as refused:
                    await anext(events)
            assert refused.value.oldest > start
            assert largest < 16 << 20
            assert path.stat().st_size < 8 << 20, "20,000 writes of 1.5 KB are 30 MB"
        assert not log_of(path).exists()

    asyncio.run(main())


def test_history_outlasts_a_restart(tmp_path: Path) -> None:
    clock, path = SystemClock(), tmp_path / "state.db"

    async def main() -> None:
        async with SqliteStore(path, clock) as store:
            first = await store.create("/a", b"1")
            second = await store.update("/a", b"2", expected=first.revision)
            gone = await store.delete("/a", expected=second.revision)
        async with SqliteStore(path, clock) as store:
            assert await store.revision() == gone
            assert list((await store.list("", revision=second.revision)).records) == [second]
            async with store.watch("", after=first.revision) as events:
                told = [await anext(events) for _ in range(2)]
            assert told == [Event("/a", second.revision, second, first), Event("/a", gone, None, second)]
            await store.compact(second.revision)
        for _ in range(2):
            async with SqliteStore(path, clock) as store:
                assert await store.revision() == gone
                with pytest.raises(Compacted) as refused:
                    await store.list("", revision=first.revision)
                assert refused.value.oldest == second.revision
                with pytest.raises(Compacted):
                    async with store.watch("", after=first.revision):
                        pass
                await store.compact(first.revision)

    asyncio.run(main())


def test_history_is_kept_for_five_minutes_and_then_leaves_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def write(store: Store, clock: Clock, minutes: int) -> None:
        record = await store.get("/a") or await store.create("/a", b"")
        for _ in range(minutes):
            for _ in range(6):
                await clock.sleep(10)
                record = await store.update("/a", b"", expected=record.revision)

    async def main(clock: LoopClock, chance: Chance) -> None:
        async with SqliteStore(path, clock) as store:
            await write(store, clock, 4)
            assert len(list((await store.list("", revision=2)).records)) == 1
            await write(store, clock, 4)
            latest = await store.revision()
            with pytest.raises(Compacted) as refused:
                await store.list("", revision=2)
            kept = latest - refused.value.oldest
            assert 30 <= kept <= 32, "five minutes of a write each ten seconds"
        with closing(sqlite3.connect(path)) as reader:
            ((logged,),) = reader.execute("SELECT count(*) FROM log").fetchall()
        assert kept <= logged <= kept + 1

    run(main)


def test_a_records_time_outlasts_a_restart(tmp_path: Path) -> None:
    async def main(clock: LoopClock, chance: Chance) -> None:
        path = tmp_path / "state.db"
        async with SqliteStore(path, clock) as store:
            goes = await store.create("/goes", b"1", ttl=3600)
            stays = await store.create("/stays", b"1")
        await clock.sleep(3000)
        async with SqliteStore(path, clock) as store:
            await clock.sleep(599)
            assert list((await store.list("")).records) == [goes, stays]
            async with store.watch("", after=stays.revision) as events:
                assert await anext(events) == Event("/goes", stays.revision + 1, None, goes)
        await clock.sleep(3600)
        async with SqliteStore(path, clock) as store:
            assert list((await store.list("")).records) == [stays]

    run(main)


def test_what_was_published_is_read_after_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with SqliteStore(tmp_path / "state.db", SystemClock()) as store:
            watch = store.watch("", after=await store.revision())
            events = await watch.__aenter__()
            record = await store.create("/a", b"")
        assert (await anext(events)).record == record
        with pytest.raises(Unavailable):
            await anext(events)
        await watch.__aexit__(None, None, None)

    asyncio.run(main())
