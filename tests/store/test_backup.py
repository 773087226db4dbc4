"""Backups: what comes back, and what happens to revisions that clients remember."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from pilothouse.runtime.clock import SystemClock
from pilothouse.store.backup import MOVED_ON, read, restore, write_backup
from pilothouse.store.database import Database, StoreDamaged
from pilothouse.store.interface import Compacted, Listing
from pilothouse.store.memory import MemoryStore
from pilothouse.store.sqlite import SqliteStore


@pytest.fixture
def listing(tmp_path: Path) -> Listing:
    """Of a store that has a history: what was replaced and deleted is not part of a backup."""

    async def main() -> Listing:
        async with SqliteStore(tmp_path / "source.db", SystemClock()) as store:
            for number in range(20):
                await store.create(f"/{number}", b"first")
            await store.update("/3", b"second", expected=await _at(store, "/3"))
            await store.delete("/4", expected=await _at(store, "/4"))
            return await store.list("")

    return asyncio.run(main())


async def _at(store: SqliteStore, key: str) -> int:
    record = await store.get(key)
    assert record is not None
    return record.revision


def test_what_was_stored_is_in_the_backup(listing: Listing, tmp_path: Path) -> None:
    write_backup(listing, tmp_path / "backup.db")
    contents = read(tmp_path / "backup.db")
    assert sorted(contents.records, key=lambda record: record.key) == list(listing.records)
    assert contents.oldest == listing.revision
    assert not contents.events
    assert sorted(each.name for each in tmp_path.iterdir()) == ["backup.db", "source.db"]
    assert (tmp_path / "backup.db").stat().st_mode & 0o777 == 0o600


def test_a_restored_store_goes_on_and_gives_no_revision_twice(listing: Listing, tmp_path: Path) -> None:
    write_backup(listing, tmp_path / "backup.db")
    before = (tmp_path / "backup.db").read_bytes()
    assert restore(tmp_path / "backup.db", tmp_path / "state.db") == len(listing.records)
    assert (tmp_path / "backup.db").read_bytes() == before

    async def main() -> None:
        async with SqliteStore(tmp_path / "state.db", SystemClock()) as store:
            assert list((await store.list("")).records) == list(listing.records)
            with pytest.raises(Compacted):
                async with store.watch("", after=listing.revision + 1) as events:
                    await anext(events)
            assert (await store.create("/new", b"")).revision == listing.revision + MOVED_ON + 1

    asyncio.run(main())


def test_any_store_can_be_backed_up(tmp_path: Path) -> None:
    async def main() -> Listing:
        async with MemoryStore(SystemClock()) as store:
            await store.create("/a", b"1")
            return await store.list("")

    write_backup(asyncio.run(main()), tmp_path / "backup.db")
    assert [record.value for record in read(tmp_path / "backup.db").records] == [b"1"]


def test_a_damaged_backup_restores_nothing(listing: Listing, tmp_path: Path) -> None:
    write_backup(listing, tmp_path / "backup.db")
    content = (tmp_path / "backup.db").read_bytes()
    (tmp_path / "backup.db").write_bytes(content.replace(b"second", b"SECOND"))
    with pytest.raises(StoreDamaged, match=r"/backup\.db is no backup, or is damaged$"):
        restore(tmp_path / "backup.db", tmp_path / "state.db")
    assert not (tmp_path / "state.db").exists()


def test_a_restore_replaces_nothing(listing: Listing, tmp_path: Path) -> None:
    write_backup(listing, tmp_path / "backup.db")
    with pytest.raises(FileExistsError):
        restore(tmp_path / "backup.db", tmp_path / "source.db")


def test_a_backup_that_cannot_be_written_leaves_nothing(listing: Listing, tmp_path: Path) -> None:
    twice = Listing([*listing.records, listing.records[0]], listing.revision)
    with pytest.raises(Exception, match="UNIQUE"):
        write_backup(twice, tmp_path / "backup.db")
    assert [each.name for each in tmp_path.iterdir()] == ["source.db"]


def test_a_store_in_use_is_not_read(listing: Listing, tmp_path: Path) -> None:
    write_backup(listing, tmp_path / "backup.db")
    with closing(Database(tmp_path / "backup.db")), pytest.raises(Exception, match="in use"):
        read(tmp_path / "backup.db")
