"""What every store must do, as tests. A backend passes by subclassing, inside or outside of this project:

    class TestMyStore(StoreContract):
        def store(self, clock, directory):
            return MyStore(...)          # an async context manager that enters an empty Store

Needs pytest.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

import pytest

from pilothouse.runtime.clock import Clock, SystemClock
from pilothouse.store.interface import (
    Compacted,
    Conflict,
    Event,
    FutureRevision,
    KeyExists,
    Record,
    Store,
    Unavailable,
)

Scenario = Callable[[Store], Awaitable[None]]


async def take(events: AsyncIterator[Event], count: int) -> list[Event]:
    """Return the next `count` events of a watch."""
    return [await anext(events) for _ in range(count)]


class StoreContract:
    """Each test is a scenario on a store of its own."""

    shortest_ttl = 0.05
    """Seconds that a record lives at least, where the backend counts in whole ones."""

    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    """The event loop to run on; asyncio's own when None."""

    @pytest.fixture(autouse=True)
    def _directory(self, tmp_path: Path) -> None:
        self.directory = tmp_path

    def store(self, clock: Clock, directory: Path) -> AbstractAsyncContextManager[Store]:
        """Return what enters an empty store."""
        raise NotImplementedError

    def run(self, scenario: Scenario) -> None:
        """Run `scenario` on a fresh store, for at most a minute."""
        clock = SystemClock()

        async def main() -> None:
            async with clock.timeout(60), self.store(clock, self.directory) as store:
                await scenario(store)

        self.run_loop(main())

    def run_loop(self, main: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine to its end on a loop of the kind asked for."""
        factory = type(self).__dict__.get("loop_factory") or self.loop_factory
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main)

    # Records

    def test_an_empty_store(self) -> None:
        async def scenario(store: Store) -> None:
            assert await store.revision() >= 1, "0 means any revision in the API"
            assert await store.get("/a") is None
            assert store.trouble == ""
            listing = await store.list("")
            assert (list(listing.records), listing.remaining) == ([], 0)
            assert listing.revision == await store.revision()

        self.run(scenario)

    @pytest.mark.parametrize("value", [b"{}", b"", bytes(range(256)), b"x" * 1_600_000], ids=len)
    @pytest.mark.parametrize("key", ["/registry/pods/default/web", "k", "/übung/日本/\U0001f6a2"])
    def test_a_created_record_is_read_back(self, key: str, value: bytes) -> None:
        async def scenario(store: Store) -> None:
            before = await store.revision()
            record = await store.create(key, value)
            assert record == Record(key, value, before + 1, before + 1)
            assert await store.get(key) == record
            assert list((await store.list("")).records) == [record]
            assert await store.revision() == record.revision

        self.run(scenario)

    def test_a_key_is_created_once(self) -> None:
        async def scenario(store: Store) -> None:
            record = await store.create("/a", b"1")
            with pytest.raises(KeyExists):
                await store.create("/a", b"2")
            assert await store.get("/a") == record
            assert await store.revision() == record.revision, "a refusal takes no revision"

        self.run(scenario)

    def test_an_update_replaces_the_expected_revision_only(self) -> None:
        async def scenario(store: Store) -> None:
            first = await store.create("/a", b"1")
            second = await store.update("/a", b"2", expected=first.revision)
            assert second == Record("/a", b"2", first.revision + 1, first.revision)
            with pytest.raises(Conflict) as refused:
                await store.update("/a", b"3", expected=first.revision)
            assert refused.value.current == second
            with pytest.raises(Conflict) as refused:
                await store.update("/b", b"3", expected=first.revision)
            assert refused.value.current is None
            assert await store.get("/a") == second
            assert await store.revision() == second.revision

        self.run(scenario)

    def test_a_deletion_removes_the_expected_revision_only(self) -> None:
        async def scenario(store: Store) -> None:
            first = await store.create("/a", b"1")
            second = await store.update("/a", b"2", expected=first.revision)
            with pytest.raises(Conflict) as refused:
                await store.delete("/a", expected=first.revision)
            assert refused.value.current == second
            assert await store.delete("/a", expected=second.revision) == second.revision + 1
            assert await store.get("/a") is None
            with pytest.raises(Conflict) as refused:
                await store.delete("/a", expected=second.revision)
            assert refused.value.current is None
            again = await store.create("/a", b"3")
            assert again == Record("/a", b"3", second.revision + 2, second.revision + 2)

        self.run(scenario)

    def test_a_record_goes_when_its_time_is_over(self) -> None:
        ttl = self.shortest_ttl

        async def scenario(store: Store) -> None:
            start = await store.revision()
            goes = await store.create("/goes", b"1", ttl=ttl)
            stays = await store.create("/stays", b"1", ttl=ttl)
            stays = await store.update("/stays", b"2", expected=stays.revision)
            late = await store.create("/late", b"1")
            late = await store.update("/late", b"2", expected=late.revision, ttl=ttl)
            async with store.watch("", after=start) as events:
                told = await take(events, 7)
            assert {(e.key, e.record, e.previous) for e in told[5:]} == {("/goes", None, goes), ("/late", None, late)}
            assert list((await store.list("")).records) == [stays]
            again = await store.create("/goes", b"2")
            assert again.created == again.revision > told[-1].revision

        self.run(scenario)

    # Lists

    def test_a_list_is_a_prefix_in_the_order_of_keys(self) -> None:
        async def scenario(store: Store) -> None:
            for key in ("/b/2", "/b", "/b/é", "/b/10", "/b/1", "/b0", "/a/1", "/b/\U0010ffff", "/c/1"):
                await store.create(key, key.encode())

            async def keys(prefix: str, start: str = "", limit: int = 0) -> tuple[list[str], int]:
                listing = await store.list(prefix, start=start, limit=limit)
                return [record.key for record in listing.records], listing.remaining

            assert await keys("/b/") == (["/b/1", "/b/10", "/b/2", "/b/é", "/b/\U0010ffff"], 0)
            assert await keys("/b") == (["/b", "/b/1", "/b/10", "/b/2", "/b/é", "/b/\U0010ffff", "/b0"], 0)
            assert await keys("/b/", limit=2) == (["/b/1", "/b/10"], 3)
            assert await keys("/b/", start="/b/10\0", limit=2) == (["/b/2", "/b/é"], 1)
            assert await keys("/b/", start="/b/10", limit=9) == (["/b/10", "/b/2", "/b/é", "/b/\U0010ffff"], 0)
            assert await keys("/b/", start="/a") == (["/b/1", "/b/10", "/b/2", "/b/é", "/b/\U0010ffff"], 0)
            assert await keys("/b/", start="/c") == ([], 0)
            assert await keys("/d") == ([], 0)

        self.run(scenario)

    def test_a_list_at_an_old_revision_is_what_it_was(self) -> None:
        async def scenario(store: Store) -> None:
            kept = await store.create("/p/kept", b"1")
            changed = await store.create("/p/changed", b"1")
            gone = await store.create("/p/gone", b"1")
            other = await store.create("/other", b"1")
            at = await store.revision()
            again = await store.update("/p/changed", b"2", expected=changed.revision)
            await store.update("/p/changed", b"3", expected=again.revision)
            await store.delete("/p/gone", expected=gone.revision)
            reborn = await store.create("/p/gone", b"2")
            await store.delete("/p/gone", expected=reborn.revision)
            await store.create("/p/new", b"1")
            listing = await store.list("/p/", revision=at)
            assert (list(listing.records), listing.revision, listing.remaining) == ([changed, gone, kept], at, 0)
            page = await store.list("/p/", revision=at, limit=1)
            assert (list(page.records), page.remaining) == ([changed], 2)
            page = await store.list("/p/", revision=at, start="/p/changed\0", limit=1)
            assert (list(page.records), page.remaining) == ([gone], 1)
            assert list((await store.list("", revision=at)).records) == [other, changed, gone, kept]
            assert list((await store.list("/p/", revision=reborn.revision)).records)[1] == reborn
            between = await store.list("/p/", revision=reborn.revision - 1)
            assert [record.key for record in between.records] == ["/p/changed", "/p/kept"]
            with pytest.raises(FutureRevision):
                await store.list("/p/", revision=await store.revision() + 1)

        self.run(scenario)

    # Watches

    def test_a_watch_tells_every_write_below_its_prefix(self) -> None:
        async def scenario(store: Store) -> None:
            zero = await store.create("/p/0", b"0")
            start = await store.revision()
            async with store.watch("/p/", after=start) as events:
                first = await store.create("/p/1", b"1")
                await store.create("/q/1", b"1")
                second = await store.update("/p/1", b"2", expected=first.revision)
                deletion = await store.delete("/p/0", expected=zero.revision)
                assert await take(events, 3) == [
                    Event("/p/1", first.revision, first, None),
                    Event("/p/1", second.revision, second, first),
                    Event("/p/0", deletion, None, zero),
                ]

        self.run(scenario)

    def test_a_watch_begins_in_the_past(self) -> None:
        async def scenario(store: Store) -> None:
            start = await store.revision()
            records = [await store.create(f"/{'pq'[n % 2]}/{n}", b"") for n in range(6)]
            async with store.watch("/p/", after=start) as events, store.watch("", after=start + 3) as late:
                records.append(await store.create("/p/6", b""))
                assert [event.record for event in await take(events, 4)] == records[::2]
                assert [event.record for event in await take(late, 4)] == records[3:]

        self.run(scenario)

    def test_a_waiting_watcher_is_woken(self) -> None:
        async def scenario(store: Store) -> None:
            async with store.watch("/p/", after=await store.revision()) as events, asyncio.TaskGroup() as tasks:
                waiting = tasks.create_task(take(events, 2))
                await store.create("/q", b"")
                first = await store.create("/p/1", b"")
                second = await store.create("/p/2", b"")
                assert [event.record for event in await waiting] == [first, second]

        self.run(scenario)

    def test_a_lagging_watcher_misses_nothing(self) -> None:
        async def scenario(store: Store) -> None:
            start = await store.revision()
            async with store.watch("/p/", after=start) as events:
                expected: list[Record] = []
                for _ in range(12):
                    made = [store.create(f"/{'ppq'[n % 3]}/{len(expected)}/{n}", b"") for n in range(600)]
                    records = await asyncio.gather(*made)
                    expected += [record for record in records if record.key.startswith("/p/")]
                    if len(expected) < 500:
                        await take(events, 3)
                expected.sort(key=lambda record: record.revision)
                told = await take(events, len(expected) - 3)
                assert [event.record for event in told] == expected[3:]
                last = await store.create("/p/last", b"")
                assert (await anext(events)).record == last

        self.run(scenario)

    def test_a_watcher_that_lags_holds_up_nobody_and_skips_nothing(self) -> None:
        async def scenario(store: Store) -> None:
            start = await store.revision()
            async with store.watch("/p/", after=start) as lags, store.watch("/p/", after=start) as reads:
                first = await store.create("/p/first", b"")
                assert (await anext(lags)).record == first
                assert (await anext(reads)).record == first
                for turn in range(4):
                    made = await asyncio.gather(*(store.create(f"/p/{turn}/{n}", b"") for n in range(500)))
                    told = await take(reads, len(made))
                    assert [event.revision for event in told] == sorted(record.revision for record in made)
                await store.compact(await store.revision())
                last = await store.create("/p/last", b"")
                assert (await anext(reads)).record == last
                seen = first.revision
                with suppress(Compacted):  # it may be told that something is missing, but nothing may be
                    while seen < last.revision:
                        event = await anext(lags)
                        assert event.revision == seen + 1
                        seen = event.revision

        self.run(scenario)

    def test_who_leaves_a_watch_disturbs_no_other(self) -> None:
        async def scenario(store: Store) -> None:
            start = await store.revision()
            async with store.watch("/p/", after=start) as stays:
                async with store.watch("/p/", after=start) as leaves:
                    first = await store.create("/p/1", b"")
                    assert (await anext(leaves)).record == first
                second = await store.create("/p/2", b"")
                assert [event.record for event in await take(stays, 2)] == [first, second]

        self.run(scenario)

    def test_a_cancelled_reader_may_read_on(self) -> None:
        async def scenario(store: Store) -> None:
            async with store.watch("/p/", after=await store.revision()) as events, asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(take(events, 1))
                await store.create("/q", b"")
                reading.cancel()
                await asyncio.wait([reading])
                record = await store.create("/p/1", b"")
                assert (await anext(events)).record == record

        self.run(scenario)

    # History

    def test_compacted_history_is_refused_and_the_rest_is_kept(self) -> None:
        async def scenario(store: Store) -> None:
            first = await store.create("/p/1", b"1")
            second = await store.update("/p/1", b"2", expected=first.revision)
            third = await store.update("/p/1", b"3", expected=second.revision)
            await store.compact(second.revision)
            with pytest.raises(Compacted) as refused:
                await store.list("/p/", revision=first.revision)
            assert refused.value.oldest == second.revision
            assert list((await store.list("/p/", revision=second.revision)).records) == [second]
            with pytest.raises(Compacted):
                async with store.watch("/p/", after=first.revision) as events:
                    await anext(events)
            async with store.watch("/p/", after=second.revision) as events:
                assert await anext(events) == Event("/p/1", third.revision, third, second)
            await store.compact(second.revision)
            await store.compact(await store.revision())
            assert await store.get("/p/1") == third
            with pytest.raises(FutureRevision):
                await store.compact(third.revision + 1)

        self.run(scenario)

    # Concurrency

    def test_of_many_creators_one_wins(self) -> None:
        async def scenario(store: Store) -> None:
            results = await asyncio.gather(
                *(store.create("/a", str(n).encode()) for n in range(20)), return_exceptions=True
            )
            won = [result for result in results if isinstance(result, Record)]
            assert [await store.get("/a")] == won
            assert [type(result) for result in results if result not in won] == [KeyExists] * 19

        self.run(scenario)

    def test_increments_are_never_lost(self) -> None:
        async def scenario(store: Store) -> None:
            start = (await store.create("/n", b"0")).revision

            async def increment() -> None:
                for _ in range(5):
                    while True:
                        record = await store.get("/n")
                        assert record is not None
                        try:
                            await store.update("/n", b"%d" % (int(record.value) + 1), expected=record.revision)
                        except Conflict:
                            continue
                        break

            async with store.watch("", after=start) as events:
                await asyncio.gather(*(increment() for _ in range(8)))
                told = await take(events, 40)
            assert [event.revision for event in told] == list(range(start + 1, start + 41))
            assert [event.record and event.record.value for event in told] == [b"%d" % n for n in range(1, 41)]

        self.run(scenario)

    def test_a_cancelled_writer_leaves_a_whole_store(self) -> None:
        async def scenario(store: Store) -> None:
            start = await store.revision()
            async with store.watch("", after=start) as events, asyncio.TaskGroup() as tasks:
                writers = [tasks.create_task(store.create(f"/{n}", b"")) for n in range(10)]
                while not any(writer.done() for writer in writers):
                    for writer in writers[::2]:
                        writer.cancel()
                    await store.create(f"/x{await store.revision()}", b"")
                    await asyncio.wait(writers, timeout=0)  # a store in memory lets nobody else run
                await asyncio.wait(writers)
                last = await store.create("/last", b"")
                told = await take(events, last.revision - start)
            assert [event.revision for event in told] == list(range(start + 1, last.revision + 1))
            assert [event.record for event in told if event.record] == [await store.get(event.key) for event in told]

        self.run(scenario)

    # The end

    def test_a_closed_store_says_so(self) -> None:
        clock = SystemClock()

        async def main() -> None:
            async with clock.timeout(60):
                async with self.store(clock, self.directory) as store:
                    record = await store.create("/a", b"")
                    watch = store.watch("", after=record.revision - 1)
                    events = await watch.__aenter__()
                    assert (await anext(events)).record == record
                with pytest.raises(Unavailable):
                    await anext(events)
                await watch.__aexit__(None, None, None)
                assert store.trouble
                for call in (store.get("/a"), store.list(""), store.create("/b", b""), store.revision()):
                    with pytest.raises(Unavailable):
                        await call

        self.run_loop(main())
