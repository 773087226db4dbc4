"""Where audit events go: a log that one thread writes, all that has gathered at once.

The modes are upstream's. `batch` never makes a request wait, and drops events when more than a buffer of them wait for
the disk; `blocking` lets an answer leave once its events are written; `blocking-strict` refuses a request whose first
event cannot be. Source: apiserver/pkg/server/options/audit.go, plugin/pkg/audit/{log,buffered}.
"""

import asyncio
import threading
from contextlib import AbstractContextManager, suppress
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Protocol, Self

from pilothouse.api.machinery.view import JsonObject
from pilothouse.apiserver.audit.line import Line, line_of, ready
from pilothouse.apiserver.audit.log_file import LogFile, Rotation
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.hold import hold
from pilothouse.runtime.log import Log

_log = Log(__name__)

BUFFER = 10_000
"""Events that may wait in batch mode before more are dropped."""
_GATHER_SECONDS = 0.05
"""How long events gather that nobody waits for, so that the thread wakes once for all of them."""
_ENOUGH = 1000
"""How many events are worth a wake before that."""


class Mode(StrEnum):
    """--audit-log-mode."""

    BATCH = "batch"
    BLOCKING = "blocking"
    BLOCKING_STRICT = "blocking-strict"


class Backend(Protocol):
    """Takes events."""

    mode: Mode
    failures: int
    """Events that could not be written."""

    def put(self, event: JsonObject) -> None:
        """Take an event, which nobody changes from here on."""
        ...

    async def settled(self) -> bool:
        """Wait until all that was put is written; whether it could be."""
        ...


class AuditLog:
    """A Backend that appends JSON lines to a file. An async context manager: all is written on leaving."""

    def __init__(self, path: Path, rotation: Rotation, mode: Mode, clock: Clock) -> None:
        self.mode = mode
        self.failures = 0
        self._clock = clock
        self._file = LogFile(path, rotation)
        self._queue: SimpleQueue[tuple[list[Line], Instant] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="audit-log", daemon=True)
        self._gathered: list[Line] = []
        self._full = False
        self._waiting: asyncio.Future[bool] | None = None
        """Of those who wait for what has gathered."""
        self._writing: asyncio.Future[bool] | None = None
        """Of those who wait for what the thread has."""
        self._held: AbstractContextManager[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.settled()
        if self._timer is not None:
            self._timer.cancel()
        self._queue.put(None)
        with hold("the audit log being closed"):
            self._thread.join()

    def put(self, event: JsonObject) -> None:
        """Take an event."""
        if self.mode is Mode.BATCH and len(self._gathered) >= BUFFER:
            self.failures += 1
            if not self._full:
                _log.error("Audit events are dropped: more than the buffer holds wait for the disk", buffer=BUFFER)
            self._full = True
            return
        self._gathered.append(ready(event))
        if self._timer is None:
            self._timer = self._clock.call_later(_GATHER_SECONDS, self._ring)
        elif len(self._gathered) >= _ENOUGH:
            self._hand_over()

    async def settled(self) -> bool:
        """Wait until all that was put is written; whether it could be."""
        if self._gathered:
            self._waiting = self._waiting or self._loop.create_future()
            waiting = self._waiting
            self._hand_over()
        elif self._writing is not None:
            waiting = self._writing
        else:
            return True
        return await asyncio.shield(waiting)

    def _ring(self) -> None:
        self._timer = None
        self._hand_over()

    def _hand_over(self) -> None:
        """Give the thread what has gathered, unless it still writes: then it gets it after."""
        if self._writing is not None or not self._gathered:
            return
        events, self._gathered = self._gathered, []
        self._full = False
        self._writing, self._waiting = self._waiting or self._loop.create_future(), None
        self._held = hold("the audit log being written")
        self._held.__enter__()
        self._queue.put((events, self._clock.now()))

    def _written(self, lost: int, problem: str) -> None:
        """The thread is done with what it had."""
        if problem:
            self.failures += lost
            _log.error("Audit events are lost", number=lost, reason=problem)
        if self._held is not None:
            self._held.__exit__(None, None, None)
        if self._writing is not None:
            self._writing.set_result(not problem)
            self._writing = None
        if self._waiting is not None or self._timer is None:
            self._hand_over()

    def _run(self) -> None:
        try:
            while (batch := self._queue.get()) is not None:
                lost, problem = self._write(*batch)
                with suppress(RuntimeError):  # the loop is closed: nobody waits
                    self._loop.call_soon_threadsafe(self._written, lost, problem)
        finally:
            self._file.close()

    def _write(self, events: list[Line], now: Instant) -> tuple[int, str]:
        """Write what can be written; how many are lost, and why."""
        pieces: list[bytes | memoryview] = []
        lost, problem = 0, ""
        for event in events:
            try:
                pieces += line_of(event)
            except Exception as error:  # noqa: BLE001 - an event that is no JSON is neither the others' nor the log's end
                lost, problem = lost + 1, str(error)
        try:
            self._file.write(b"".join(pieces), now)
        except OSError as error:
            lost, problem = len(events), str(error)
        return lost, problem
