"""Backup of what a cluster's API server stores, while it serves, and the way back.

A backup holds the objects and not the keys of the cluster: it is restored into the home that it came from, or into a
copy of it. What a restore replaces is kept beside it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pilothouse.apiserver.backup import PATH
from pilothouse.client.transport import HttpTransport
from pilothouse.cluster.errors import ClusterError
from pilothouse.cluster.home import Home
from pilothouse.cluster.notes import Notes
from pilothouse.cluster.pki import Pki
from pilothouse.cluster.settings import Settings
from pilothouse.runtime.clock import Clock, format_time
from pilothouse.store.backup import read, restore
from pilothouse.store.interface import StoreError


async def back_up(home: Home, target: Path, clock: Clock) -> int:
    """Save what the running cluster stores in a new file for us alone; the number of its records.

    Raises ClusterError when it cannot be had, OSError for a file that cannot be made.
    """
    transport = Pki(home, Settings.load(home)).access("admin", "admin").transport(clock)
    with _new_file(target) as file:
        try:
            await _receive(transport, file)
        except (ConnectionError, TimeoutError):
            raise ClusterError("the API server does not answer: `pilothouse up` starts the cluster") from None
        return len(read(target).records)


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file for us alone, which stays only if all goes well."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            yield file
        except BaseException:
            path.unlink()
            raise


async def _receive(transport: HttpTransport, file: BinaryIO) -> None:
    async with transport.stream("GET", PATH, {}) as answer:
        if answer.status != 200:
            text = (await answer.read()).decode(errors="replace").strip()
            raise ClusterError(f"the API server made no backup: {text}")
        async for piece in answer.body:
            file.write(piece)
    file.flush()
    os.fsync(file.fileno())


def bring_back(home: Home, backup: Path, clock: Clock) -> tuple[int, Path | None]:
    """Make a backup the state of a cluster that is down: its number of records, and where the state before now lies.

    Raises ClusterError when the cluster runs or the backup is none.
    """
    settings, state = Settings.load(home), home.state
    with home.locked():
        if Notes(home).living():
            raise ClusterError("the cluster runs: `pilothouse down` stops it and keeps its state")
        restored = state.with_name("restored.db")
        restored.unlink(missing_ok=True)
        try:
            count = restore(backup, restored)
        except StoreError as error:
            raise ClusterError(f"nothing was restored: {error}") from None
        os.chown(restored, settings.unprivileged, settings.unprivileged)
        aside = _put_aside(state, clock) if state.exists() else None
        restored.rename(state)
    return count, aside


def _put_aside(state: Path, clock: Clock) -> Path:
    aside = state.with_name(f"{state.name}.{format_time(clock.now())}")
    log = state.with_name(f"{state.name}-wal")
    if log.exists():  # first: were it left without its file, or beside another, it would be lost
        log.rename(aside.with_name(f"{aside.name}-wal"))
    state.rename(aside)
    return aside
