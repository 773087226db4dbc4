"""What lies on disks: of a whole file system, or in a directory as `du` counts it. Blocks, so it is for threads.

A file with several names counts once, and what is mounted below counts for itself. Upstream: pkg/volume/metrics_du.go.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pilothouse.runtime.clock import Instant

_BLOCK = 512


@dataclass(frozen=True, slots=True)
class FilesystemUse:
    """Bytes and inodes. What is used may be a share; the rest is of the whole file system that it lies on."""

    used: int
    inodes_used: int
    capacity: int
    available: int
    inodes: int
    inodes_free: int
    at: Instant


def filesystem(path: Path, at: Instant) -> FilesystemUse:
    """The file system that a path lies on. Raises OSError."""
    found = os.statvfs(path)
    size = found.f_frsize
    return FilesystemUse(
        used=(found.f_blocks - found.f_bfree) * size,
        inodes_used=found.f_files - found.f_ffree,
        capacity=found.f_blocks * size,
        available=found.f_bavail * size,
        inodes=found.f_files,
        inodes_free=found.f_ffree,
        at=at,
    )


def share(path: Path, at: Instant, used: int, inodes_used: int) -> FilesystemUse:
    """What is known to be used of the file system that a path lies on. Raises OSError."""
    whole = filesystem(path, at)
    return FilesystemUse(
        used, inodes_used, whole.capacity, whole.available, whole.inodes, whole.inodes_free, at
    )  # fmt: skip


def directory(path: Path, at: Instant) -> FilesystemUse:
    """A directory and all in it. Raises OSError when it is not there; what goes meanwhile is not counted."""
    top = os.lstat(path)
    seen = {top.st_ino: top.st_blocks}
    for entry in _walk(str(path), top.st_dev):
        seen[entry.st_ino] = entry.st_blocks
    return share(path, at, sum(seen.values()) * _BLOCK, len(seen))


def volume(path: Path, at: Instant) -> FilesystemUse:
    """A directory that may be a mount: then it is the whole file system. Raises OSError."""
    own = os.lstat(path).st_dev != os.lstat(path.parent).st_dev
    return filesystem(path, at) if own else directory(path, at)


def _walk(path: str, device: int) -> Iterator[os.stat_result]:
    pending = [path]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                found = list(entries)
        except OSError:
            continue
        for entry in found:
            try:
                about = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if about.st_dev != device:
                continue
            yield about
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
