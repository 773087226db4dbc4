"""A container's log on disk: its end found, read to the end, and followed over rotations until the container ended.

Disk is read in threads, 64 KiB at a time. Following waits for news of the directory; only a quiet log makes it look
whether the container still runs. Source: cri-client/pkg/logs.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack, aclosing, suppress
from pathlib import Path
from typing import Protocol, TypeVar

from pilothouse.kubelet.logs import Renderer, Selection
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

log = Log(__name__)
T = TypeVar("T")
_PIECE = 64 * 1024
_LONGEST = 16 * 1024 * 1024
"""Bytes without a line's end after which they no longer count as a line: damage, a runtime writes far less."""
QUIET = 1.0
"""Seconds without news after which a follower looks whether the container still runs."""
Running = Callable[[], Awaitable[bool]]


class Changes(Protocol):
    """Tells of changes in directories."""

    def watch(self, directory: Path) -> AbstractContextManager[asyncio.Event]:
        """An event that is set at every change; the listener clears it. Raises OSError."""
        ...


class LogFile:
    """One log, open. Lines come whole; what is not yet a line waits for its end."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._next: int | None = None
        self._offset = 0
        self._rest = bytearray()

    @classmethod
    async def open(cls, path: Path) -> "LogFile":
        """Open the log behind `path`, which may be a link. Raises OSError."""
        real = await _in_thread(lambda: path.resolve(strict=True))
        return cls(real, await _in_thread(lambda: _open(real), undo=os.close))

    async def size(self) -> int:
        """Bytes in the file now."""
        return await _in_thread(lambda: os.fstat(self._descriptor).st_size)

    async def skip_to_tail(self, lines: int, size: int) -> None:
        """Go on reading where the last `lines` lines of the first `size` bytes begin."""
        self._offset = await _in_thread(lambda: tail_offset(self._descriptor, lines, size))

    async def next_lines(self, until: int | None = None) -> list[bytes] | None:
        """Some more lines, perhaps none yet; None at the end of the file, or at offset `until`."""
        length = _PIECE if until is None else min(_PIECE, until - self._offset)
        offset = self._offset
        piece = await _in_thread(lambda: os.pread(self._descriptor, length, offset)) if length > 0 else b""
        if not piece:
            return None
        self._offset += len(piece)
        self._rest += piece
        whole = piece.rfind(b"\n") + 1
        if not whole:
            return self.take_rest() if len(self._rest) > _LONGEST else []
        end = len(self._rest) - len(piece) + whole
        lines = bytes(self._rest[: end - 1]).split(b"\n")
        del self._rest[:end]
        return [line + b"\n" for line in lines]

    def take_rest(self) -> list[bytes]:
        """The beginning of a line that will not be finished."""
        rest, self._rest = bytes(self._rest), bytearray()
        return [rest] if rest else []

    async def replaced(self) -> bool:
        """Whether another file has taken this one's place: nothing more is written to this one."""
        return self._next is not None or await _in_thread(self._find_next)

    def reopen(self) -> None:
        """Go on with the file that has taken this one's place."""
        assert self._next is not None
        old, self._descriptor, self._next, self._offset = self._descriptor, self._next, None, 0
        os.close(old)

    def _find_next(self) -> bool:
        with suppress(FileNotFoundError):
            if not os.path.samestat(self.path.stat(), os.fstat(self._descriptor)):
                self._next = _open(self.path)
        return self._next is not None

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)
        if self._next is not None:
            os.close(self._next)


async def read_log(
    path: Path, wanted: Selection, *, tail: int | None, follow: Running | None, changes: Changes, clock: Clock
) -> AsyncGenerator[bytes, None]:
    """What is wanted of a log. With `follow`, which tells whether the container runs, also what comes until it ended.

    Raises OSError when the log cannot be read, and what `follow` raises.
    """
    file = await LogFile.open(path)
    try:
        renderer = Renderer(wanted)
        size = await file.size()
        if tail is not None:
            await file.skip_to_tail(tail, size)
        pieces = _until_end(file, size) if follow is None else _until_over(file, follow, changes, clock)
        async with aclosing(pieces):
            async for lines in pieces:
                if sent := renderer.render(lines):
                    yield sent
                if renderer.full:
                    return
    finally:
        file.close()


async def _until_end(file: LogFile, size: int) -> AsyncGenerator[list[bytes], None]:
    while (lines := await file.next_lines(size)) is not None:
        yield lines
    yield file.take_rest()


async def _until_over(
    file: LogFile, running: Running, changes: Changes, clock: Clock
) -> AsyncGenerator[list[bytes], None]:
    """Lines as they come. What was written before the container ended is there when it is seen to have ended."""
    with ExitStack() as stack:
        news = _listen(stack, changes, file.path.parent)
        quiet, over = True, False
        while True:
            news.clear()
            if quiet and not over:
                over = not await running()
            while (lines := await file.next_lines()) is not None:
                yield lines
            if await file.replaced():
                # What came between the last look and the rotation.
                while (lines := await file.next_lines()) is not None:
                    yield lines
                yield file.take_rest()
                file.reopen()
                quiet = False
            elif over:
                yield file.take_rest()
                return
            else:
                quiet = not await _heard(news, clock)


def _listen(stack: ExitStack, changes: Changes, directory: Path) -> asyncio.Event:
    """News of the directory. Where the kernel gives none, a second's silence makes the follower look all the same."""
    try:
        return stack.enter_context(changes.watch(directory))
    except OSError as error:
        log.warning("Cannot watch a directory of logs", directory=str(directory), err=str(error))
        return asyncio.Event()


async def _heard(news: asyncio.Event, clock: Clock) -> bool:
    try:
        async with clock.timeout(QUIET):
            await news.wait()
    except TimeoutError:
        return False
    return True


def tail_offset(descriptor: int, lines: int, size: int) -> int:
    """Where the last `lines` lines of the first `size` bytes of a file begin."""
    begin, wanted = size, lines + 1
    while begin > 0:
        length = min(_PIECE, begin)
        begin -= length
        piece = os.pread(descriptor, length, begin)
        found = piece.count(b"\n")
        if found >= wanted:
            at = len(piece)
            for _ in range(wanted):
                at = piece.rfind(b"\n", 0, at)
            return begin + at + 1
        wanted -= found
    return 0


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


async def _in_thread(work: Callable[[], T], undo: Callable[[T], None] | None = None) -> T:
    """Run in a thread. When cancelled, return only after the thread is done, with what it gave undone."""
    done = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait([done])
        if undo is not None and done.exception() is None:
            undo(done.result())
        raise
