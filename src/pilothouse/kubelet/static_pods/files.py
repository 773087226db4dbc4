"""Manifests in a directory, or in one file: read at every change, and now and then without one.

A file that cannot be read is perhaps being written: its pod is as it was until the next reading without a change.
Source: pkg/kubelet/config/file.go, file_linux.go.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.log_file import Changes
from pilothouse.kubelet.static_pods.config import FILE
from pilothouse.kubelet.static_pods.manifest import ManifestError, Origin, read_pod
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log

log = Log(__name__)
SETTLE = 0.1
"""Seconds left to whoever writes a file piece by piece."""
Tell = Callable[[Sequence[Pod]], None]


class ManifestFiles:
    """Of one node. `read` blocks."""

    def __init__(self, path: Path, node_name: str) -> None:
        self._path = path
        self._node_name = node_name
        self._known: dict[Path, Pod] = {}
        self._complaints: dict[Path, str] = {}

    @property
    def directory(self) -> Path:
        """Where changes are seen."""
        return self._path.parent if self._path.is_file() else self._path

    def read(self, *, lenient: bool) -> list[Pod]:
        """The pods now. Raises OSError when there is no knowing."""
        found: dict[Path, Pod] = {}
        complaints: dict[Path, str] = {}
        for path in self._files():
            try:
                found[path] = read_pod(path.read_bytes(), Origin(FILE, str(path), self._node_name))
            except (ManifestError, OSError) as error:
                complaints[path] = str(error)
                if lenient and path in self._known:
                    found[path] = self._known[path]
        for path, why in complaints.items():
            if self._complaints.get(path) != why:
                log.error("Can't process manifest file", path=str(path), err=why)
        self._known, self._complaints = found, complaints
        return [*found.values()]

    def _files(self) -> Iterator[Path]:
        """In the order of their names; hidden ones are not for us, and directories in the directory neither."""
        if not self._path.exists():
            return
        if not self._path.is_dir():
            yield self._path
            return
        yield from (path for path in sorted(self._path.glob("[!.]*")) if path.is_file())


async def follow_files(files: ManifestFiles, period: float, changes: Changes, clock: Clock, tell: Tell) -> None:
    """Tell of all pods at every change, and every `period` seconds, for ever."""
    while True:
        with ExitStack() as stack:
            try:
                news = stack.enter_context(changes.watch(files.directory))
            except OSError as error:
                log.debug("Cannot watch manifests", path=str(files.directory), err=str(error))
                news = asyncio.Event()
            await _read(files, tell, lenient=False)
            until = clock.monotonic() + period
            while await _heard(news, until, clock):
                await clock.sleep(SETTLE)
                news.clear()
                await _read(files, tell, lenient=True)


async def _read(files: ManifestFiles, tell: Tell, *, lenient: bool) -> None:
    try:
        pods = await asyncio.to_thread(lambda: files.read(lenient=lenient))
    except OSError as error:
        log.error("Unable to read config path", err=str(error))
    else:
        tell(pods)


async def _heard(news: asyncio.Event, until: float, clock: Clock) -> bool:
    """Whether there was news before a moment."""
    try:
        async with clock.timeout(until - clock.monotonic()):
            await news.wait()
    except TimeoutError:
        return False
    return True
