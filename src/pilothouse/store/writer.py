"""The one thread that touches the disk: takes what has queued, makes it durable, says so, and takes again.

While one batch is being synced the next gathers: group commit without ever waiting for it. What one turn of the loop
writes is handed over together, at its end: the thread would else wake for the first, contend for the interpreter with
whoever makes the others, and sync one or two at a time. After a failed commit the
thread throws away what it is sent, all of it decided on writes that are no more, until the loop has told everyone and
says `resume`. After a failure of the disk itself it ends, for what a failed fsync has lost cannot be known.
"""

import sqlite3
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

from pilothouse.runtime.log import Log
from pilothouse.store.database import BATCH, Connect, Contents, Database
from pilothouse.store.interface import Event, Revision, StoreError

T = TypeVar("T")

_log = Log(__name__)


class _Signal(Enum):
    RESUME = "resume"
    STOP = "stop"


class Listener(Protocol):
    """What the writer reports, always on the loop and in order."""

    def opened(self, contents: Contents) -> None:
        """The file is ours and sound."""
        ...

    def committed(self, count: int) -> None:
        """The `count` oldest of the writes handed over are durable."""
        ...

    def failed(self, error: sqlite3.Error) -> None:
        """None of the writes outstanding is durable. Call `resume` to go on."""
        ...

    def closed(self, error: StoreError | None) -> None:
        """The thread ends; writes outstanding may or may not be durable. Always the last report."""
        ...


class Writer:
    """Owns the thread; the thread owns the database."""

    def __init__(self, path: Path, connect: Connect, loop: AbstractEventLoop, listener: Listener) -> None:
        self._path = path
        self._connect = connect
        self._loop = loop
        self._listener = listener
        self._queue: SimpleQueue[Event | Revision | _Signal] = SimpleQueue()
        self._gathered: list[Event | Revision] = []
        """What this turn of the loop has for the thread."""
        self._stopping = False
        self.oldest: Revision = 0
        """History before this may go. Set by the loop, read by the thread."""
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)

    def start(self) -> None:
        """Open the file, in the thread."""
        self._thread.start()

    def write(self, event: Event) -> None:
        """Hand over a write."""
        self._gather(event)

    def compact(self, revision: Revision) -> None:
        """Hand over a compaction, which is reported as a write."""
        self._gather(revision)

    def resume(self) -> None:
        """What is handed over from now on was decided knowing of the failure."""
        self._hand_over()
        self._queue.put(_Signal.RESUME)

    def stop(self) -> None:
        """Finish what was handed over, then end."""
        self._hand_over()
        self._queue.put(_Signal.STOP)

    def join(self) -> None:
        """Wait for the end of the thread, which has reported that it ends."""
        self._thread.join()

    def _gather(self, item: Event | Revision) -> None:
        if not self._gathered:
            self._loop.call_soon(self._hand_over)
        self._gathered.append(item)

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        for item in gathered:
            self._queue.put(item)

    def _run(self) -> None:
        reason: StoreError | None = StoreError(f"the writer of {self._path} ended without a reason")
        try:
            reason = self._live()
        finally:
            self._report(self._listener.closed, reason)

    def _live(self) -> StoreError | None:
        """Open, serve, close; the reason of an end that nobody asked for."""
        try:
            database = Database(self._path, self._connect)
        except StoreError as error:
            return error
        except OSError as error:
            return StoreError(f"{self._path} cannot be opened: {error}")
        try:
            contents = database.load()
            self._settle(database)
            self._report(self._listener.opened, contents)
            self._serve(database)
        except StoreError as error:
            return error
        except sqlite3.Error as error:
            return StoreError(f"{self._path} failed: {error}")
        finally:
            with suppress(sqlite3.Error):  # what matters is durable; the lock ends with the connection in any case
                database.close()
        return None

    def _serve(self, database: Database) -> None:
        while batch := self._take():
            events = [item for item in batch if isinstance(item, Event)]
            oldest = max([self.oldest, *(item for item in batch if isinstance(item, int))])
            try:
                self._commit(database, events, oldest)
            except sqlite3.Error as error:
                if not _rolled_back(error):
                    raise
                self._report(self._listener.failed, error)
                self._discard()
                continue
            self._report(self._listener.committed, len(batch))
            self._checkpoint(database)

    def _commit(self, database: Database, events: Sequence[Event], oldest: Revision) -> None:
        """Commit; when the disk is full, once more in what room the log has after a checkpoint."""
        try:
            database.commit(events, oldest)
        except sqlite3.Error as error:
            if not _rolled_back(error):
                raise
            database.checkpoint(due=True)
            database.commit(events, oldest)

    def _settle(self, database: Database) -> None:
        """Serve nothing that a power failure could take back. On a full disk there is at least reading."""
        try:
            database.settle()
        except sqlite3.Error as error:
            if not _rolled_back(error):
                raise
            _log.warning("The store's disk is full: reads are served", error=str(error), path=self._path)

    def _checkpoint(self, database: Database) -> None:
        try:
            whole = database.checkpoint()
        except sqlite3.Error as error:
            if not _rolled_back(error):
                raise
            _log.error("The store's write-ahead log cannot be checkpointed", error=error, path=self._path)
        else:
            if not whole:
                _log.warning("A checkpoint of the store was incomplete; something else reads it", path=self._path)

    def _take(self) -> list[Event | Revision]:
        """Return what has queued, waiting for the first; nothing when asked to stop."""
        batch: list[Event | Revision] = []
        while len(batch) < BATCH and not self._stopping:
            try:
                item = self._queue.get(block=not batch)
            except Empty:
                break
            if isinstance(item, _Signal):
                self._stopping = item is _Signal.STOP
            else:
                batch.append(item)
        return batch

    def _discard(self) -> None:
        while (item := self._queue.get()) is not _Signal.RESUME:
            if item is _Signal.STOP:
                self._stopping = True
                return

    def _report(self, report: Callable[[T], None], fact: T) -> None:
        try:
            self._loop.call_soon_threadsafe(report, fact)
        except RuntimeError:  # the loop is closed: nobody is left to write or to be told
            self._stopping = True


def _rolled_back(error: sqlite3.Error) -> bool:
    """Whether SQLite took the transaction back before syncing anything: only a full disk is that certain."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
