"""A disk that fails when told to: SQLite connections whose statements can be held back, refused, or done but denied."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMIT = "INSERT INTO batch"
CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"
SETTLE = "PRAGMA wal_checkpoint(TRUNCATE)"
WORDS = {
    sqlite3.SQLITE_FULL: "database or disk is full",
    sqlite3.SQLITE_IOERR_FSYNC: "disk I/O error",
    sqlite3.SQLITE_IOERR_WRITE: "disk I/O error",
}


@dataclass(eq=False)
class FaultyDisk:
    """Give `connect` to a store. Until told otherwise everything works."""

    commits: int = 0
    """Transactions that were tried."""
    _faults: dict[str, tuple[int, bool]] = field(default_factory=dict)
    _cures: dict[str, str] = field(default_factory=dict)
    _free: threading.Event = field(default_factory=threading.Event)
    _held: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._free.set()

    def connect(self, path: Path) -> sqlite3.Connection:
        """As `pilothouse.store.database.connect`."""
        disk = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                return disk._execute(super().execute, sql, *parameters)

        return sqlite3.connect(path, timeout=0.2, isolation_level=None, factory=Connection)

    def fail(self, statement: str, code: int, *, written: bool = False, until: str = "") -> None:
        """Fail what begins with `statement`; with `written` after it was done; until another has been executed."""
        self._faults[statement] = (code, written)
        if until:
            self._cures[until] = statement

    def heal(self) -> None:
        """Work again."""
        self._faults.clear()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Commits wait until the block ends."""
        self._free.clear()
        try:
            yield
        finally:
            self._free.set()

    def wait_held(self) -> None:
        """Wait until a commit waits."""
        assert self._held.wait(20)

    def _execute(self, execute: Any, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql.startswith(COMMIT):
            self._held.set()
            assert self._free.wait(20)
            self._held.clear()
            self.commits += 1
        code, written = next((fault for begin, fault in self._faults.items() if sql.startswith(begin)), (0, False))
        if written or not code:
            cursor: sqlite3.Cursor = execute(sql, *parameters)
            self._faults.pop(self._cures.pop(sql, ""), None)
        if code:
            error = sqlite3.OperationalError(WORDS[code])
            error.sqlite_errorcode = code
            raise error
        return cursor
