"""The SQLite file: its schema, how a batch becomes durable, how it is read back and checked.

Runs in the one thread that owns the connection. Three decisions carry it:
- `current` is keyed by the revision that created a record, which names a living key; there is no index on keys, since
  the table in memory answers for them. `log` holds what each write *replaced*, so that a creation stores its value
  once, any retained state is current plus undoing, and compaction deletes a range of row ids and nothing else.
- A batch is one INSERT into a view whose triggers do the work: one call, hence one atomic transaction with one fsync,
  and the interpreter lock is given up and taken back once a batch instead of once a row.
- Checkpoints are ours to run, since SQLite swallows the errors of its own. One runs before anything is served: what a
  process that died, or failed to sync, left in the log is made durable first, or is never seen.

SQLite guards its structure, not what is in it. A value is therefore sealed (`sealing.py`), and start reads everything:
what a disk has changed is found then and is not served.

See sqlite.org: wal.html, pragma.html#pragma_synchronous, lockingv3.html.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pilothouse.store.interface import Event, Record, Revision, StoreError
from pilothouse.store.sealing import seal, seal_untimed, unseal

Connect = Callable[[Path], sqlite3.Connection]

BATCH = 255
"""The most writes of one transaction; a row that compacts may join them."""

_APPLICATION = 0x50494C4F
_LAYOUT = 3
_SCHEMA = """
CREATE TABLE current(created INTEGER PRIMARY KEY, revision INTEGER NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL)
    STRICT;
CREATE TABLE log(revision INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER, previous INTEGER, value BLOB) STRICT;
CREATE TABLE history(oldest INTEGER NOT NULL) STRICT;
INSERT INTO history VALUES (1);
CREATE VIEW batch AS SELECT NULL AS revision, NULL AS key, NULL AS created, NULL AS value;
CREATE TRIGGER creation INSTEAD OF INSERT ON batch WHEN NEW.key IS NOT NULL AND NEW.created = NEW.revision BEGIN
    INSERT INTO log(revision, key) VALUES (NEW.revision, NEW.key);
    INSERT INTO current VALUES (NEW.created, NEW.revision, NEW.key, NEW.value);
END;
CREATE TRIGGER replacement INSTEAD OF INSERT ON batch WHEN NEW.created < NEW.revision AND NEW.value IS NOT NULL BEGIN
    INSERT INTO log SELECT NEW.revision, key, created, revision, value FROM current WHERE created = NEW.created;
    UPDATE current SET revision = NEW.revision, value = NEW.value WHERE created = NEW.created;
END;
CREATE TRIGGER removal INSTEAD OF INSERT ON batch
WHEN NEW.key IS NOT NULL AND NEW.created < NEW.revision AND NEW.value IS NULL BEGIN
    INSERT INTO log SELECT NEW.revision, key, created, revision, value FROM current WHERE created = NEW.created;
    DELETE FROM current WHERE created = NEW.created;
END;
CREATE TRIGGER compaction INSTEAD OF INSERT ON batch WHEN NEW.key IS NULL AND NEW.revision IS NOT NULL BEGIN
    UPDATE history SET oldest = NEW.revision;
    DELETE FROM log WHERE revision <= NEW.created;
END;
"""
_INSERT = "INSERT INTO batch VALUES (?,?,?,?)"
_Row = tuple[Revision, str, Revision | None, Revision, bytes]

_CHECKPOINT_PAGES = 4000
"""Pages that the write-ahead log may gather before a checkpoint, by an estimate that is high: at most 16 MB."""
_ENVIRONMENTAL = frozenset({
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_AUTH,
})  # fmt: skip
"""Failures to open that say nothing about the file."""

_DROPPED_PER_WRITE = 2
_DROPPED_AT_LEAST = 64
"""How many rows of history a batch clears away, above what it adds: small steps that always catch up."""


class StoreInUse(StoreError):
    """Another process owns the store."""


class StoreDamaged(StoreError):
    """The file is not a sound store of ours."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds."""

    records: Sequence[Record]
    events: Sequence[Event]
    oldest: Revision


def connect(path: Path) -> sqlite3.Connection:
    """Open `path` with every statement its own transaction."""
    return sqlite3.connect(path, timeout=0.2, isolation_level=None, cached_statements=32)


class Database:
    """One open file, owned exclusively until `close`."""

    def __init__(self, path: Path, connect: Connect = connect) -> None:
        self._path = path
        _make_private(path)
        _check_company(path)
        try:
            self._connection = connect(path)
        except sqlite3.Error as error:
            raise _explain(path, error) from error
        try:
            self._own()
            self._prepare()
            ((self._oldest,),) = self._connection.execute("SELECT oldest FROM history").fetchall()
            (logged,) = self._connection.execute("SELECT min(revision) FROM log").fetchone()
        except sqlite3.Error as error:
            self._connection.close()
            raise _explain(path, error) from error
        except ValueError:
            self._connection.close()
            raise _damaged(path, "it does not say where its history begins") from None
        except BaseException:
            self._connection.close()
            raise
        self._cleared: Revision = self._oldest if logged is None else logged - 1
        """The log holds no row up to here. It lags behind `oldest`, which what is read back begins after."""
        self._pages = 0

    def load(self) -> Contents:
        """Read everything, checking that it is one unbroken history of sound records. Raises StoreDamaged."""
        execute = self._connection.execute
        try:
            rows = execute("SELECT key, value, revision, created FROM current")
            records = [unseal(*row) for row in rows]
            state = {record.key: record for record in records}
            if len(state) != len(records):
                raise _damaged(self._path, "it holds a key twice")
            log = execute("SELECT * FROM log WHERE revision > ? ORDER BY revision DESC", (self._oldest,))
            return Contents(records, self._undo(state, log), self._oldest)
        except sqlite3.Error as error:
            raise _explain(self._path, error) from error
        except ValueError as error:  # a seal is broken
            raise _damaged(self._path, str(error)) from None

    def fill(self, records: Iterable[Record], revision: Revision) -> None:
        """Make a new file hold `records` as of `revision`, with no history. Raises sqlite3.Error."""
        execute = self._connection.execute
        execute("BEGIN")
        rows = ((each.created, each.revision, each.key, seal(each)) for each in records)
        self._connection.executemany("INSERT INTO current VALUES (?,?,?,?)", rows)
        execute("UPDATE history SET oldest = ?", (revision,))
        execute("COMMIT")

    def commit(self, events: Sequence[Event], oldest: Revision) -> None:
        """Make `events` durable, and forget some of the history before `oldest`. Raises sqlite3.Error."""
        rows: list[object] = []
        pages = 8
        for event in events:
            record = event.record or event.previous
            assert record is not None
            rows += (event.revision, event.key, record.created, event.record and seal(event.record))
            pages += 3 + len(record.value) // 2048
        cleared = min(oldest, self._cleared + _DROPPED_AT_LEAST + _DROPPED_PER_WRITE * len(events))
        if self._cleared < cleared or self._oldest < oldest:
            rows += (oldest, None, cleared, None)
        if not rows:
            return
        size = 1 << (len(rows) // 4 - 1).bit_length()
        rows += (None,) * (4 * size - len(rows))
        self._connection.execute(_INSERT + ",(?,?,?,?)" * (size - 1), rows)
        self._oldest, self._cleared = max(self._oldest, oldest), max(self._cleared, cleared)
        self._pages += pages

    def settle(self) -> None:
        """Make durable what was found in the write-ahead log, and empty it. Raises sqlite3.Error."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def checkpoint(self, *, due: bool = False) -> bool:
        """Move what is durable from the write-ahead log into the file when it is `due` or much has gathered.

        False when it could not all be moved. Raises sqlite3.Error.
        """
        if not due and self._pages < _CHECKPOINT_PAGES:
            return True
        self._pages = _CHECKPOINT_PAGES // 2  # should it fail, the next try is not at once
        busy, gathered, moved = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self._pages = 0
        return not busy and gathered == moved

    def close(self) -> None:
        """Give the file up. The last act of a healthy connection is a checkpoint."""
        self._connection.close()

    def _own(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        execute("PRAGMA wal_autocheckpoint = 0")
        execute("PRAGMA journal_size_limit = 16777216")
        execute("BEGIN EXCLUSIVE")
        execute("COMMIT")

    def _prepare(self) -> None:
        execute = self._connection.execute
        (application,) = execute("PRAGMA application_id").fetchone()
        (layout,) = execute("PRAGMA user_version").fetchone()
        (tables,) = execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if not tables and not application:
            statement = f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_LAYOUT};"
            self._connection.executescript(f"BEGIN; {_SCHEMA} {statement} COMMIT;")
            return
        if application != _APPLICATION:
            raise StoreDamaged(f"{self._path} is not a store of Pilothouse; move it away, or name another place")
        if layout == _LAYOUT - 1:
            self._upgrade()
        elif layout != _LAYOUT:
            raise StoreDamaged(
                f"{self._path} has layout {layout}, this version reads {_LAYOUT}; use the version that wrote it"
            )
        findings = [row[0] for row in execute("PRAGMA quick_check(3)")]
        if findings != ["ok"]:
            raise _damaged(self._path, "; ".join(findings))
        if _schema_of(self._connection) != _our_schema():
            raise _damaged(self._path, "its schema is another")

    def _upgrade(self) -> None:
        """Give every value of layout 2 a time. Raises sqlite3.Error, and changes nothing, for another."""
        self._connection.create_function("timed", 4, seal_untimed)
        for statement in (
            "BEGIN",
            "UPDATE current SET value = timed(key, value, revision, created)",
            "UPDATE log SET value = timed(key, value, previous, created) WHERE value IS NOT NULL",
            f"PRAGMA user_version = {_LAYOUT}",
            "COMMIT",
        ):
            self._connection.execute(statement)

    def _undo(self, state: dict[str, Record], log: Iterable[_Row]) -> Sequence[Event]:
        """Rebuild the events after `oldest`, newest first, by undoing them: every row must fit the state it made."""
        events: list[Event] = []
        for revision, key, created, before, value in log:
            record = state.pop(key, None)
            previous = unseal(key, value, before, created) if created is not None else None
            follows = not events or events[-1].revision == revision + 1
            fits = record.revision == revision if record is not None else previous is not None
            if not follows or not fits:
                raise _damaged(self._path, f"there is a gap in its history at revision {revision}")
            events.append(Event(key, revision, record, previous))
            if previous is not None:
                state[key] = previous
        reached = events[-1].revision - 1 if events else self._oldest
        if reached != self._oldest or any(record.revision > reached for record in state.values()):
            raise _damaged(self._path, f"there is a gap in its history at revision {reached}")
        events.reverse()
        return events


def _make_private(path: Path) -> None:
    """Create the file for its owner alone. SQLite gives the files beside it the same mode."""
    before = os.umask(0o077)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():  # not opened: closing it would lose the locks this process holds on it
            path.chmod(0o600)
            return
        path.touch()
    finally:
        os.umask(before)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _check_company(path: Path) -> None:
    """Refuse an empty file beside a log that is not: SQLite would take the log for a left-over and delete it."""
    log = path.with_name(f"{path.name}-wal")
    if not path.stat().st_size and log.exists() and log.stat().st_size:
        raise _damaged(path, f"it is empty, while {log.name} beside it is not")


def _schema_of(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").fetchall()


def _our_schema() -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(":memory:")) as model:
        model.executescript(_SCHEMA)
        return _schema_of(model)


def _damaged(path: Path, why: str) -> StoreDamaged:
    return StoreDamaged(
        f"{path} is damaged ({why}); put a backup in its place, or move it and {path.name}-wal away to begin with "
        "an empty store"
    )


def _explain(path: Path, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreInUse(f"{path} is in use by another process; stop that one first")
    if code in _ENVIRONMENTAL:
        return StoreError(f"{path} cannot be opened: {error}")
    return _damaged(path, str(error))
