"""Backups: all records of one moment in a file of their own, which is itself a store.

Any backend can be backed up, since what is written is a listing: it is of one revision, and costs the writers nothing.
Restoring moves the revisions on. Clients remember revisions from after the backup was made; were they given out a
second time, a watch could go on from one as if nothing had happened. Their watches are refused as expired instead, and
they list again. Source: etcd's disaster recovery page, which raises revisions for the same reason.
"""

import shutil
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from pilothouse.store.database import Contents, Database, StoreDamaged
from pilothouse.store.interface import Listing, Record, Revision

MOVED_ON = 1_000_000_000
"""How far a restore moves the revisions on: more than any cluster writes between a backup and its end."""


def write_backup(listing: Listing, path: Path) -> None:
    """Write a whole listing into a new file at `path`. Raises sqlite3.Error or OSError, and leaves no file then."""
    _write(listing.records, path, listing.revision)


def restore(backup: Path, path: Path) -> int:
    """Make `path` a store that goes on from a backup, which stays as it is; the number of its records.

    Raises StoreDamaged for a file that is not a sound store, FileExistsError when something is at `path`, OSError.
    """
    if path.exists():
        raise FileExistsError(f"{path} exists")
    copy = path.with_name(f".{path.name}.copy")
    try:
        shutil.copyfile(backup, copy)
        contents = _read_copy(copy, backup)
        revision = contents.oldest + len(contents.events)
        _write(contents.records, path, revision + MOVED_ON)
    finally:
        _remove(copy)
    return len(contents.records)


def _read_copy(copy: Path, backup: Path) -> Contents:
    try:
        contents = read(copy)
    except StoreDamaged as error:
        raise StoreDamaged(f"{backup} is no backup, or is damaged") from error
    if not contents.records:
        raise StoreDamaged(f"{backup} is empty")
    return contents


def read(path: Path) -> Contents:
    """What a store holds that no process has open. Raises StoreDamaged, StoreInUse."""
    with closing(Database(path)) as database:
        return database.load()


def _write(records: Iterable[Record], path: Path, revision: Revision) -> None:
    partial = path.with_name(f".{path.name}.new")
    _remove(partial)
    try:
        with closing(Database(partial)) as database:
            database.fill(records, revision)
            database.settle()
        partial.rename(path)
    finally:
        _remove(partial)


def _remove(path: Path) -> None:
    for each in (path, path.with_name(f"{path.name}-wal")):
        each.unlink(missing_ok=True)
