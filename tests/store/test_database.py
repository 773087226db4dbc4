"""The file: whose it is, what damage is found, and what a torn log leaves."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.runtime.clock import SystemClock
from pilothouse.store.database import Contents, Database, StoreDamaged, StoreInUse
from pilothouse.store.interface import Event, Record, StoreError
from pilothouse.store.sqlite import SqliteStore
from pilothouse.store.writes import creation, removal, replacement

CLOCK = SystemClock()
OWNER = """
import sys
from pathlib import Path
from pilothouse.store.database import Database
database = Database(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""
WHAT_TO_DO = r"; put a backup in its place, or move it and state\.db-wal away to begin with an empty store$"


def beside(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def load(path: Path) -> Contents:
    with closing(Database(path)) as database:
        contents = database.load()
        database.settle()
        return contents


def history() -> list[Event]:
    """Writes of every sort, of values below and above a page."""
    found: dict[str, Record] = {}
    events: list[Event] = []
    for step in range(30):
        key, value, revision = f"/pods/{step % 7}", bytes([65 + step]) * (300 * step), step + 2
        before = found.get(key)
        if before is None:
            event = creation(None, key, value, revision)
        elif step % 5 == 0:
            event = removal(before, key, before.revision, revision)
        else:
            event = replacement(before, key, value, before.revision, revision)
        events.append(event)
        if event.record is None:
            del found[key]
        else:
            found[key] = event.record
    return events


HISTORY = history()


def state(events: list[Event]) -> list[Record]:
    """What is there after `events`, in the order of keys."""
    found: dict[str, Record] = {}
    for event in events:
        found.pop(event.key, None)
        if event.record is not None:
            found[event.key] = event.record
    return [found[key] for key in sorted(found)]


def is_prefix(contents: Contents) -> int:
    """Assert that the contents are what some first writes of the history made; how many."""
    count = len(contents.events)
    assert list(contents.events) == HISTORY[:count]
    assert sorted(contents.records, key=lambda record: record.key) == state(HISTORY[:count])
    return count


@pytest.fixture(scope="module")
def written() -> Iterator[tuple[Path, list[int]]]:
    """A store with the history, killed: its file, and how long the log was when each write was acknowledged."""
    with TemporaryDirectory() as directory:
        live, path = Path(directory) / "live.db", Path(directory) / "state.db"
        database = Database(live)
        database.settle()
        lengths: list[int] = []
        for at in range(0, len(HISTORY), 3):
            batch = HISTORY[at : at + 3]
            database.commit(batch, 1)
            lengths += [beside(live).stat().st_size] * len(batch)
        shutil.copy(live, path)
        shutil.copy(beside(live), beside(path))
        database.close()
        yield path, lengths


def copy(written: Path, directory: Path) -> Path:
    path = directory / "state.db"
    shutil.copy(written, path)
    shutil.copy(beside(written), beside(path))
    return path


def test_a_log_torn_anywhere_holds_what_was_acknowledged(written: tuple[Path, list[int]], tmp_path: Path) -> None:
    original, lengths = written
    whole = beside(original).read_bytes()
    frame, head = 24 + 4096, 32
    ends = range(head, len(whole) + 1, frame)
    cuts = {0, 1, head - 1, len(whole)} | {end + past for end in ends for past in (-1, 0, 25)}
    counts: list[int] = []
    for cut in sorted(cut for cut in cuts if cut <= len(whole)):
        path = tmp_path / "state.db"
        shutil.copy(original, path)
        beside(path).write_bytes(whole[:cut])
        count = is_prefix(load(path))
        assert count == sum(length <= cut for length in lengths), f"cut at {cut}"
        counts.append(count)
    assert sorted(set(counts)) == [*range(0, len(HISTORY) + 1, 3)], "a batch is whole or is not there"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_log_with_garbage_behind_a_tear_holds_a_whole_prefix(
    written: tuple[Path, list[int]], data: st.DataObject
) -> None:
    original, lengths = written
    whole = beside(original).read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    garbage = data.draw(st.binary(min_size=1, max_size=64))
    with TemporaryDirectory() as directory:
        path = copy(original, Path(directory))
        torn = whole[:cut] + garbage + whole[cut + len(garbage) :]
        beside(path).write_bytes(torn)
        count = is_prefix(load(path))
        assert count >= sum(length <= cut for length in lengths)
        assert is_prefix(load(path)) == count, "the next start finds the same"


def test_a_checkpoint_torn_anywhere_is_done_again(written: tuple[Path, list[int]], tmp_path: Path) -> None:
    original, _ = written
    done = copy(original, tmp_path)
    load(done)
    before, after = original.read_bytes(), done.read_bytes()
    assert before != after
    assert not beside(done).exists() or not beside(done).stat().st_size
    for pages in range(len(after) // 4096 + 1):
        path = copy(original, tmp_path)
        path.write_bytes(after[: pages * 4096] + before[pages * 4096 :])
        assert is_prefix(load(path)) == len(HISTORY)


def flipped(path: Path, at: int, bits: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        (before,) = file.read(1)
        file.seek(at)
        file.write(bytes([before ^ bits]))


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_flipped_bits_are_found_or_do_no_harm(sound: Path, data: st.DataObject) -> None:
    size = sound.stat().st_size
    where = st.one_of(st.integers(0, 99), st.integers(0, 4095), st.integers(0, size - 1))
    places = data.draw(st.lists(st.tuples(where, st.integers(1, 255)), min_size=1, max_size=3))
    with TemporaryDirectory() as directory:
        path = Path(directory) / "state.db"
        shutil.copy(sound, path)
        for at, bits in places:
            flipped(path, at, bits)
        try:
            contents = load(path)
        except StoreDamaged:
            return
        assert is_prefix(contents) == len(HISTORY)


@pytest.fixture(scope="module")
def sound() -> Iterator[Path]:
    """A store with the history, closed."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "state.db"
        with closing(Database(path)) as database:
            database.commit(HISTORY, 1)
        assert not beside(path).exists()
        yield path


def place_of(piece: bytes) -> Callable[[bytes], int]:
    return lambda content: content.index(piece) + len(piece) // 2


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    Database(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 4")
    with pytest.raises(StoreDamaged, match="has layout 4, this version reads 3; use the version that wrote it"):
        Database(path)


def test_a_file_of_the_layout_before_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(Database(path)) as database:
        database.commit(HISTORY, 1)
        before = database.load()
    with closing(sqlite3.connect(path)) as old:
        old.create_function("untimed", 1, lambda value: value[:-12] + value[-4:])
        old.executescript(
            "UPDATE current SET value = untimed(value); UPDATE log SET value = untimed(value) WHERE value IS NOT NULL;"
            "PRAGMA user_version = 2;"
        )
    for _ in range(2):
        assert load(path) == before


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (lambda _: 3, "file is not a database"),
        (place_of(b"H" * 2000), "/pods/0 at revision 9 is not what was written"),
        (place_of(b"^" * 2000), "/pods/1 at revision 31 is not what was written"),
        (place_of(b"NEW.value"), "its schema is another"),
        (lambda _: 103, ""),
        (lambda _: 69, "is not a store of Pilothouse; move it away, or name another place"),
        (lambda _: 63, "is damaged"),
    ],
    ids=["magic", "past", "present", "schema", "structure", "owner", "layout"],
)
def test_damage_is_explained_at_start(sound: Path, tmp_path: Path, place: Callable[[bytes], int], why: str) -> None:
    path = tmp_path / "state.db"
    shutil.copy(sound, path)
    flipped(path, place(path.read_bytes()), 1)
    damaged = path.read_bytes()

    async def main() -> None:
        async with SqliteStore(path, CLOCK):
            raise AssertionError

    with pytest.raises(StoreDamaged) as refused:
        asyncio.run(main())
    assert why in str(refused.value)
    assert str(refused.value).startswith(str(path))
    assert path.read_bytes() == damaged, "left as it was found"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("DELETE FROM log WHERE revision = 9", "there is a gap in its history at revision 8"),
        ("DELETE FROM log WHERE revision = 31", "there is a gap in its history at revision"),
        ("DELETE FROM history", "it does not say where its history begins"),
        ("INSERT INTO current SELECT 77, 31, key, value FROM current WHERE revision = 31", "is not what was written"),
        ("UPDATE log SET created = created + 1 WHERE revision = 20", "is not what was written"),
        ("UPDATE history SET oldest = 1 - oldest", "there is a gap in its history at revision 1"),
        ("CREATE TABLE more(x)", "its schema is another"),
    ],
)
def test_what_does_not_fit_together_is_damage(sound: Path, tmp_path: Path, change: str, why: str) -> None:
    path = tmp_path / "state.db"
    shutil.copy(sound, path)
    with closing(sqlite3.connect(path)) as other:
        other.execute(change)
        other.commit()
    with pytest.raises(StoreDamaged, match=WHAT_TO_DO) as refused:
        load(path)
    assert why in str(refused.value)


@pytest.mark.parametrize("lost", ["removed", "emptied"])
def test_a_log_without_its_file_is_not_thrown_away(written: tuple[Path, list[int]], tmp_path: Path, lost: str) -> None:
    path = copy(written[0], tmp_path)
    path.unlink()
    if lost == "emptied":
        path.touch()
    for _ in range(2):
        with pytest.raises(StoreDamaged, match=r"it is empty, while state\.db-wal beside it is not"):
            load(path)
    assert beside(path).stat().st_size


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"not a database, but something that somebody wants to keep" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreDamaged, match="file is not a database"):
        load(path)
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.db").mkdir()
    with pytest.raises(StoreError, match=r"state\.db cannot be opened: unable to open database file") as refused:
        load(tmp_path / "state.db")
    assert not isinstance(refused.value, StoreDamaged)


def test_another_process_is_kept_out_until_the_owner_ends(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "open\n"

    async def main() -> None:
        async with SqliteStore(path, CLOCK):
            pass

    with pytest.raises(StoreInUse, match=r"state\.db is in use by another process; stop that one first$"):
        asyncio.run(main())
    owner.kill()
    owner.communicate()
    asyncio.run(main())


def test_a_second_store_of_the_same_process_is_kept_out_too(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def main() -> None:
        async with SqliteStore(path, CLOCK) as store:
            with pytest.raises(StoreInUse):
                async with SqliteStore(path, CLOCK):
                    raise AssertionError
            await store.create("/a", b"")
            with pytest.raises(StoreInUse):
                async with SqliteStore(path, CLOCK):
                    raise AssertionError

    asyncio.run(main())
