"""What a store does when its disk does not do what it should."""

import asyncio
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from fakes.faulty_disk import CHECKPOINT, COMMIT, SETTLE, FaultyDisk
from pilothouse.runtime.clock import SystemClock
from pilothouse.store import database
from pilothouse.store.interface import Conflict, KeyExists, Record, Store, StoreError, Unavailable
from pilothouse.store.sqlite import SqliteStore
from pilothouse.store.writer import Writer
from pilothouse.store.writes import creation

CLOCK = SystemClock()
FULL, FSYNC = sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_FSYNC
Story = Callable[[SqliteStore], Awaitable[None]]


def run(path: Path, disk: FaultyDisk, story: Story) -> None:
    async def main() -> None:
        async with CLOCK.timeout(60), SqliteStore(path, CLOCK, connect=disk.connect) as store:
            await story(store)

    asyncio.run(main())


def contents(path: Path) -> dict[str, bytes]:
    """What a store opened now holds."""
    found: dict[str, bytes] = {}

    async def main() -> None:
        async with SqliteStore(path, CLOCK) as store:
            found.update({record.key: record.value for record in (await store.list("")).records})

    asyncio.run(main())
    return found


async def outcomes(store: Store, disk: FaultyDisk, record: Record, code: int, *, written: bool) -> list[object]:
    """What writes of one failing batch come to, and refusals that rest on it."""
    with disk.holding():
        first = asyncio.ensure_future(store.create("/first", b""))  # noqa: TID251
        await asyncio.to_thread(disk.wait_held)
        calls = [
            store.create("/a", b"2"),
            store.create("/new", b"1"),
            store.create("/new", b"2"),
            store.update("/kept", b"2", expected=record.revision),
            store.update("/kept", b"3", expected=record.revision),
            store.delete("/new", expected=1),
            store.compact(await store.revision()),
        ]
        rest = asyncio.gather(*calls, return_exceptions=True)
        await CLOCK.sleep(0)
        disk.fail(COMMIT, code, written=written)
    return [*await asyncio.gather(first, return_exceptions=True), *await rest]


@pytest.fixture
def impatient_threads() -> Iterator[None]:
    """Whoever waits for the interpreter gets it almost at once."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("impatient_threads")
def test_what_one_turn_of_the_loop_writes_is_one_transaction(tmp_path: Path) -> None:
    path, disk = tmp_path / "state.db", FaultyDisk()

    async def story(store: SqliteStore) -> None:
        for turn in range(10):
            await asyncio.gather(*(store.create(f"/{turn}/{number}", b"1") for number in range(20)))
        assert disk.commits == 10

    run(path, disk, story)
    assert len(contents(path)) == 200


class Told:
    """Hears what a writer reports, one report after the other."""

    def __init__(self) -> None:
        self.reports: asyncio.Queue[tuple[str, object]] = asyncio.Queue()

    def opened(self, contents: object) -> None:
        self.reports.put_nowait(("opened", contents))

    def committed(self, count: int) -> None:
        self.reports.put_nowait(("committed", count))

    def failed(self, error: sqlite3.Error) -> None:
        self.reports.put_nowait(("failed", error))

    def closed(self, error: StoreError | None) -> None:
        self.reports.put_nowait(("closed", error))


def test_what_a_turn_wrote_not_knowing_of_a_failure_is_thrown_away_too(tmp_path: Path) -> None:
    path, disk = tmp_path / "state.db", FaultyDisk()

    async def main() -> None:
        told = Told()
        writer = Writer(path, disk.connect, asyncio.get_running_loop(), told)
        writer.start()
        assert (await told.reports.get())[0] == "opened"
        disk.fail(COMMIT, FULL)
        writer.write(creation(None, "/a", b"", 1, 0.0))
        assert (await told.reports.get())[0] == "failed"
        disk.heal()
        writer.write(creation(None, "/b", b"", 2, 0.0))
        writer.resume()
        writer.write(creation(None, "/c", b"", 1, 0.0))
        assert await told.reports.get() == ("committed", 1)
        writer.stop()
        assert await told.reports.get() == ("closed", None)
        writer.join()

    asyncio.run(main())
    assert set(contents(path)) == {"/c"}


@pytest.mark.parametrize("written", [False, True], ids=["nothing written", "written, not synced"])
@pytest.mark.parametrize("code", [FSYNC, sqlite3.SQLITE_IOERR_WRITE])
def test_a_failed_commit_takes_back_all_that_rests_on_it_and_closes(tmp_path: Path, code: int, written: bool) -> None:
    path, disk = tmp_path / "state.db", FaultyDisk()

    async def story(store: SqliteStore) -> None:
        record = await store.create("/kept", b"1")
        there = await store.create("/a", b"1")
        tried = disk.commits
        async with store.watch("", after=record.revision) as events, store.watch("/new", after=there.revision) as new:
            failed, *rest = await outcomes(store, disk, record, code, written=written)
            assert disk.commits == tried + 1, "not tried again"
            sure, *lost = rest
            assert isinstance(sure, KeyExists), "it rests on what was durable"
            for outcome in (failed, *lost):
                assert isinstance(outcome, Unavailable), outcome
                assert str(outcome) == "the store is closed: the disk that holds the cluster's state failed"
            assert (await anext(events)).record == there
            for watch in (events, new):
                with pytest.raises(Unavailable):
                    await anext(watch)
        disk.heal()
        for call in (store.create("/b", b""), store.get("/a"), store.list(""), store.revision()):
            with pytest.raises(Unavailable):
                await call
        with pytest.raises(Unavailable):
            async with store.watch("", after=there.revision):
                pass
        assert disk.commits == tried + 1

    run(path, disk, story)
    found = contents(path)
    assert {key: found.pop(key) for key in ("/a", "/kept")} == {"/a": b"1", "/kept": b"1"}
    assert set(found) <= {"/first"} if written else not found, "nothing of what queued behind"


def test_a_full_disk_refuses_writes_and_serves_reads(tmp_path: Path) -> None:
    path, disk = tmp_path / "state.db", FaultyDisk()

    async def story(store: SqliteStore) -> None:
        record = await store.create("/kept", b"1")
        there = await store.create("/a", b"1")
        async with store.watch("", after=there.revision) as events:
            failed, sure, *lost = await outcomes(store, disk, record, FULL, written=False)
            assert isinstance(sure, KeyExists)
            for outcome in (failed, *lost):
                assert isinstance(outcome, Unavailable), outcome
                why = "the write was not stored: the disk that holds the cluster's state is full"
                assert str(outcome) == why
            assert list((await store.list("")).records) == [there, record]
            with pytest.raises(Conflict) as refused:
                await store.update("/a", b"", expected=1)
            assert refused.value.current == there
            with pytest.raises(Unavailable):
                await store.create("/b", b"")
            disk.heal()
            made = await store.create("/new", b"3")
            assert made.revision == there.revision + 1, "what failed took no revision"
            changed = await store.update("/kept", b"2", expected=record.revision)
            assert [(await anext(events)).record for _ in range(2)] == [made, changed]

    run(path, disk, story)
    assert contents(path) == {"/a": b"1", "/kept": b"2", "/new": b"3"}


def test_a_full_disk_does_not_matter_while_the_log_can_be_used_again(tmp_path: Path) -> None:
    path, disk = tmp_path / "state.db", FaultyDisk()

    async def story(store: SqliteStore) -> None:
        first = await store.create("/a", b"1")
        disk.fail(COMMIT, FULL, until=CHECKPOINT)
        second = await store.update("/a", b"2", expected=first.revision)
        assert await store.get("/a") == second
        assert disk.commits == 3

    run(path, disk, story)
    assert contents(path) == {"/a": b"2"}


def test_sqlite_itself_runs_out_of_room(tmp_path: Path) -> None:
    path, connections = tmp_path / "state.db", list[sqlite3.Connection]()

    def connect(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA max_page_count = 60")
        connections.append(connection)
        return connection

    stored: dict[str, bytes] = {}

    async def fill(store: Store) -> None:
        while True:
            await store.create(key := f"/{len(stored)}", b"x" * 1000)
            stored[key] = b"x" * 1000

    async def main() -> None:
        async with CLOCK.timeout(60), SqliteStore(path, CLOCK, connect=connect) as store:
            for _ in range(3):
                with pytest.raises(Unavailable, match="is full"):
                    await fill(store)
            assert len((await store.list("")).records) == len(stored) > 50
            last = await store.get(f"/{len(stored) - 1}")
            assert last is not None
            connections[0].execute("PRAGMA max_page_count = 1000")
            await store.delete(last.key, expected=last.revision)
            del stored[last.key]

    asyncio.run(main())
    assert contents(path) == stored


def test_a_store_opens_for_reading_on_a_full_disk(tmp_path: Path) -> None:
    path, disk = tmp_path / "state.db", FaultyDisk()

    async def before(store: SqliteStore) -> None:
        await store.create("/a", b"1")

    async def after(store: SqliteStore) -> None:
        assert await store.get("/a") is not None
        with pytest.raises(Unavailable, match="is full"):
            await store.create("/b", b"")

    run(path, disk, before)
    disk.fail(SETTLE, FULL)
    disk.fail(COMMIT, FULL)
    run(path, disk, after)


def test_what_cannot_be_made_durable_is_not_served(tmp_path: Path) -> None:
    path, disk = tmp_path / "state.db", FaultyDisk()
    disk.fail(SETTLE, FSYNC)

    async def story(store: SqliteStore) -> None:
        raise AssertionError

    with pytest.raises(StoreError, match=r"state\.db failed: disk I/O error"):
        run(path, disk, story)


def churn(store: Store, value: bytes) -> Callable[[], Awaitable[object]]:
    async def one() -> None:
        record = await store.create("/x", value)
        await store.delete("/x", expected=record.revision)

    return one


def test_a_checkpoint_that_finds_the_disk_full_is_tried_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, disk = tmp_path / "state.db", FaultyDisk()
    monkeypatch.setattr(database, "_CHECKPOINT_PAGES", 100)
    disk.fail(CHECKPOINT, FULL)

    async def story(store: SqliteStore) -> None:
        write = churn(store, b"x" * 20_000)
        for _ in range(20):
            await write()
        complaints = [record for record in caplog.records if "cannot be checkpointed" in record.message]
        assert 2 <= len(complaints) <= 20, "not once a write"
        disk.heal()
        for _ in range(20):
            await write()
        size = wal(path).stat().st_size
        for _ in range(60):
            await write()
        assert wal(path).stat().st_size <= size, "begun anew again and again"

    run(path, disk, story)


def test_a_failed_sync_of_a_checkpoint_closes_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, disk = tmp_path / "state.db", FaultyDisk()
    monkeypatch.setattr(database, "_CHECKPOINT_PAGES", 1)
    disk.fail(CHECKPOINT, FSYNC)

    async def story(store: SqliteStore) -> None:
        record = await store.create("/a", b"1")
        async with store.watch("", after=record.revision) as events:
            with pytest.raises(Unavailable):
                await anext(events)
        with pytest.raises(Unavailable):
            await store.get("/a")

    run(path, disk, story)
    assert contents(path) == {"/a": b"1"}


def test_cancelling_a_caller_does_not_cancel_its_write(tmp_path: Path) -> None:
    path, disk = tmp_path / "state.db", FaultyDisk()

    async def outcome(call: Awaitable[object]) -> object:
        try:
            return await call
        except StoreError as error:
            return error

    async def story(store: SqliteStore) -> None:
        start = await store.revision()
        async with store.watch("", after=start) as events, asyncio.TaskGroup() as tasks:
            with disk.holding():
                writers = [tasks.create_task(store.create(key, b"1")) for key in ("/sent", "/queued")]
                await asyncio.to_thread(disk.wait_held)
                rival = tasks.create_task(outcome(store.create("/queued", b"2")))
                await CLOCK.sleep(0)
                for writer in writers:
                    writer.cancel()
                await asyncio.wait(writers)
                assert [writer.cancelled() for writer in writers] == [True, True]
                assert not rival.done(), "whether the key is taken is not yet known"
            assert isinstance(await rival, KeyExists)
            told = [await anext(events) for _ in range(2)]
            assert [event.key for event in told] == ["/sent", "/queued"]
            assert await store.get("/queued") == told[1].record

    run(path, disk, story)
    assert contents(path) == {"/sent": b"1", "/queued": b"1"}


def wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")
