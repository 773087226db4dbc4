"""Rotation of containers' logs: one that has grown is moved aside, and the runtime writes on to a fresh file.

`0.log` becomes `0.log.20260101-120000`, which rests uncompressed for whoever still reads it; the next rotation makes it
`….gz`. `kubectl logs` shows the file that is written, or that was last written, alone: the others are for agents that
collect logs. A crash at any point is made good by the next round. Source: pkg/kubelet/logs/container_log_manager.go.
"""

import asyncio
import gzip
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pilothouse.kubelet.cri.interface import ContainerState, Cri, CriError
from pilothouse.kubelet.log_policy import LogPolicy
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.log import Log

log = Log(__name__)
_COMPRESSED, _UNFINISHED = ".gz", ".tmp"
_LEVEL = 6
"""Of gzip's effort: what Go takes, a fraction of the time of Python's own choice."""


@dataclass(frozen=True, slots=True)
class Tidying:
    """What becomes of a log's older files before it is moved aside, in this order."""

    remove: tuple[str, ...]
    compress: tuple[str, ...]


def tidy(rotated: Sequence[str], policy: LogPolicy) -> Tidying:
    """Sort out names of older files: leftovers and those that are too many go, those that rest get compressed."""
    present = set(rotated)
    used: list[str] = []
    left: list[str] = []
    for name in sorted(rotated):
        is_left = name.endswith(_UNFINISHED) or name + _COMPRESSED in present
        (left if is_left else used).append(name)
    # Beside them there will be the file that is about to be moved, and the new one.
    excess = max(len(used) - (policy.max_files - 2), 0)
    rest = tuple(name for name in used[excess:] if not name.endswith(_COMPRESSED))
    return Tidying((*left, *used[:excess]), rest)


def remove_logs(path: str) -> None:
    """Delete a log with its older files: its run is to be forgotten, and runtimes leave logs to us. Raises OSError."""
    place = Path(path)
    if place.is_absolute():
        _remove(place.parent.glob(f"{place.name}*"))


class LogRotator:
    """Keeps the logs of a node's containers within the policy."""

    def __init__(self, cri: Cri, clock: Clock, policy: LogPolicy) -> None:
        self._cri = cri
        self._clock = clock
        self._policy = policy
        self._paths: dict[str, Path] = {}
        """By container; it does not change."""

    async def look(self) -> None:
        """Rotate what has grown too large. What fails is told and tried again by the next look."""
        try:
            paths = await self._running()
        except CriError as error:
            log.warning("Failed to rotate container logs", err=str(error))
            return
        sizes = await asyncio.to_thread(lambda: {key: _size(path) for key, path in paths.items()})
        turn = asyncio.Semaphore(self._policy.max_workers)
        async with asyncio.TaskGroup() as group:
            for key, size in sizes.items():
                if size is None or size >= self._policy.max_size:
                    group.create_task(self._attempt(key, paths[key], turn), name=f"rotation of {paths[key]}")

    async def _running(self) -> Mapping[str, Path]:
        """Where containers log to: those that run, as others write nothing any more."""
        listed = await self._cri.containers()
        found = [one.id for one in listed if one.state is ContainerState.RUNNING]
        for key in found:
            if key not in self._paths:
                with suppress(CriError):
                    self._paths[key] = Path((await self._cri.container_status(key)).log_path)
        self._paths = {key: self._paths[key] for key in found if key in self._paths}
        return self._paths

    async def _attempt(self, key: str, path: Path, turn: asyncio.Semaphore) -> None:
        async with turn:
            try:
                size = await asyncio.to_thread(_size, path)
                if size is None:
                    # A rotation that was cut short, or somebody, moved it away: what is written now nobody finds.
                    await self._cri.reopen_log(key)
                elif size >= self._policy.max_size:
                    await self._rotate(key, path)
            except (CriError, OSError) as error:
                log.warning("Failed to rotate log for container", container=key, path=str(path), err=str(error))

    async def _rotate(self, key: str, path: Path) -> None:
        aside = path.with_name(f"{path.name}.{_stamp(self._clock.now())}")
        await asyncio.to_thread(_tidy, path, self._policy)
        await asyncio.to_thread(path.rename, aside)
        try:
            await self._cri.reopen_log(key)
        except CriError:
            # Its container still writes to it.
            await asyncio.to_thread(aside.rename, path)
            raise


def _size(path: Path) -> int | None:
    """Bytes in a log; None when it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def _stamp(now: Instant) -> str:
    """In UTC, whatever the node's zone: names are in order of their age even when clocks are put back an hour."""
    return datetime.fromtimestamp(int(now), UTC).strftime("%Y%m%d-%H%M%S")


def _tidy(path: Path, policy: LogPolicy) -> None:
    tidying = tidy([file.name for file in path.parent.glob(f"{path.name}.*")], policy)
    _remove(path.with_name(name) for name in tidying.remove)
    for name in tidying.compress:
        _compress(path.with_name(name))


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _compress(path: Path) -> None:
    """Put `….gz` in its place, whole or not at all."""
    unfinished = path.with_name(path.name + _UNFINISHED)
    try:
        unfinished.touch(mode=path.stat().st_mode & 0o777)
        with (
            path.open("rb") as plain,
            unfinished.open("wb") as out,
            gzip.GzipFile("", "wb", _LEVEL, out, mtime=0) as packed,
        ):
            shutil.copyfileobj(plain, packed)
        unfinished.rename(path.with_name(path.name + _COMPRESSED))
    finally:
        unfinished.unlink(missing_ok=True)
    path.unlink()
