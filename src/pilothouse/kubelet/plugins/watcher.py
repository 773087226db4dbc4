"""Looks for sockets in the directory where plugins put them, and has each plugin taken in and let go.

Each socket has a task of its own: one that does not answer keeps no other waiting. A socket that was made anew is a new
plugin. The directory is looked at every second rather than watched, for it is small and nothing can be missed.
Upstream: pkg/kubelet/pluginmanager.
"""

import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pilothouse.api.machinery.errors import StatusError
from pilothouse.kubelet.plugins.registration import PluginHandler, Registered, register
from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

log = Log(__name__)
PERIOD = 1.0
"""Seconds between two looks."""
_RETRY = Growth(first=0.5, limit=122.0)
_Identity = tuple[int, int]
"""What tells one socket of a name from the next: file and time."""


class PluginWatcher:
    """Of one node."""

    def __init__(self, directory: Path, handlers: Mapping[str, PluginHandler], clock: Clock, tasks: Tasks) -> None:
        self._directory = directory
        self._handlers = handlers
        self._clock = clock
        self._tasks = tasks
        self._seen: dict[Path, _Identity] = {}
        self._at_work: set[Path] = set()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self._look()
            await self._clock.sleep(PERIOD)

    def _look(self) -> None:
        with suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._seen = dict(_sockets(self._directory))
        for socket in self._seen:
            if socket not in self._at_work:
                self._at_work.add(socket)
                self._tasks.spawn(self._attend(socket), name=f"plugin {socket.name}")

    async def _attend(self, socket: Path) -> None:
        """One plugin after the other on the same socket, until there is none."""
        try:
            while (identity := self._seen.get(socket)) is not None:
                taken = await self._take_in(socket, identity)
                while self._seen.get(socket) == identity:
                    await self._clock.sleep(PERIOD)
                if taken is not None:
                    await self._let_go(taken)
        finally:
            self._at_work.discard(socket)

    async def _take_in(self, socket: Path, identity: _Identity) -> Registered | None:
        backoff = Backoff(_RETRY)
        while self._seen.get(socket) == identity:
            try:
                taken = await register(socket, self._handlers, self._clock)
            except (PluginError, OSError, TimeoutError, ValueError) as error:  # what it says may be no sense at all
                log.warning("Could not register a plugin", socket=str(socket), err=str(error))
                await self._clock.sleep(backoff.next())
            else:
                log.info("Registered a plugin", kind=taken.handler.kind, name=taken.name, endpoint=taken.endpoint)
                return taken
        return None

    async def _let_go(self, taken: Registered) -> None:
        log.info("A plugin is gone", kind=taken.handler.kind, name=taken.name)
        try:
            await taken.handler.deregister(taken.name, taken.endpoint)
        except (StatusError, OSError, TimeoutError) as error:
            log.warning("Could not tell that a plugin is gone", name=taken.name, err=str(error))


def _sockets(directory: Path) -> Iterator[tuple[Path, _Identity]]:
    """Those in a directory and below; what begins with a dot is not looked at."""
    with suppress(OSError):
        for path in sorted(directory.iterdir()):
            if path.name.startswith("."):
                continue
            with suppress(OSError):
                found = path.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    yield from _sockets(path)
                elif stat.S_ISSOCK(found.st_mode):
                    yield path, (found.st_ino, found.st_mtime_ns)
