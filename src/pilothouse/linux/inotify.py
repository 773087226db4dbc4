"""inotify: hear of changes in directories without looking again and again. inotify(7).

One descriptor serves any number of listeners, because a user may have few of them (128 by default). A wake-up only
says that something happened: listeners look for themselves, so that lost and merged events do no harm.
"""

import asyncio
import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_MODIFY, _MOVED, _CREATE, _DELETE = 0x2, 0xC0, 0x100, 0x200
_OVERFLOW, _IGNORED = 0x4000, 0x8000
_ONLYDIR = 0x01000000
_EVENT = struct.Struct("iIII")
_BUFFER = 64 * 1024


class Inotify:
    """Watches directories for whatever is written, made, moved or removed in them. Belongs to the running loop."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = -1
        self._listeners: dict[int, list[asyncio.Event]] = {}

    def __enter__(self) -> Self:
        self._descriptor = self._libc.inotify_init1(_FLAGS)
        if self._descriptor < 0:
            _fail("inotify_init1")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listeners.clear()
        self._attend()
        os.close(self._descriptor)

    @contextmanager
    def watch(self, directory: Path) -> Iterator[asyncio.Event]:
        """An event that is set at every change in the directory; the listener clears it. Raises OSError."""
        mask = _MODIFY | _MOVED | _CREATE | _DELETE | _ONLYDIR
        number = self._libc.inotify_add_watch(self._descriptor, os.fsencode(directory), mask)
        if number < 0:
            _fail(str(directory))
        news = asyncio.Event()
        self._listeners.setdefault(number, []).append(news)
        self._attend()
        try:
            yield news
        finally:
            listeners = self._listeners.get(number, [])
            listeners[:] = [one for one in listeners if one is not news]
            if not listeners and self._listeners.pop(number, None) is not None:
                self._libc.inotify_rm_watch(self._descriptor, number)
            self._attend()

    def _attend(self) -> None:
        """Have the loop look at the descriptor for as long as somebody listens."""
        loop = asyncio.get_running_loop()
        if self._listeners:
            loop.add_reader(self._descriptor, self._read)
        else:
            loop.remove_reader(self._descriptor)

    def _read(self) -> None:
        with suppress(BlockingIOError):
            data = os.read(self._descriptor, _BUFFER)
            at = 0
            while at < len(data):
                number, mask, _, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size + length
                self._tell(number, mask)

    def _tell(self, number: int, mask: int) -> None:
        if mask & _OVERFLOW:
            woken = [news for listeners in self._listeners.values() for news in listeners]
        elif mask & _IGNORED:  # the directory is gone, and its number with it
            woken = self._listeners.pop(number, [])
        else:
            woken = self._listeners.get(number, [])
        for news in woken:
            news.set()


def _fail(what: str) -> None:
    number = ctypes.get_errno()
    raise OSError(
        number, os.strerror(number), what if number != errno.EMFILE else f"{what}: too many inotify instances"
    )
