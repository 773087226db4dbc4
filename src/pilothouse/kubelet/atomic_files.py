"""Files that change all at once: readers see the old set or the new one, never a mixture.

The set lies in a directory named after the time; `..data` links to it, and each name links through `..data`. One
rename of that link is the change. This is upstream's layout, which applications watch for.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pilothouse.runtime.clock import Instant

_CURRENT = "..data"


@dataclass(frozen=True, slots=True)
class FileContent:
    """One file."""

    data: bytes
    mode: int
    owner: int = -1
    group: int = -1


def write_files(directory: Path, files: Mapping[str, FileContent], now: Instant) -> bool:
    """Have exactly `files` (by relative path) in `directory`; whether anything changed."""
    current = directory / _CURRENT
    if current.exists() and _same(current, files):
        return False
    fresh = _fresh_directory(directory, now)
    for name, content in files.items():
        path = fresh / name
        _make_above(path, fresh)
        # Running containers see the directory already: nobody may open what they shall not read.
        path.touch(mode=0o600)
        path.write_bytes(content.data)
        path.chmod(content.mode)
        if content.owner >= 0 or content.group >= 0:
            os.chown(path, content.owner, content.group)
    old = directory / current.readlink() if current.is_symlink() else None
    swap = directory / "..data_tmp"
    swap.unlink(missing_ok=True)
    swap.symlink_to(fresh.name)
    swap.rename(current)
    _link_names(directory, {name.split("/")[0] for name in files})
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
    return True


def _make_above(path: Path, top: Path) -> None:
    for directory in [above for above in path.parents if top in above.parents][::-1]:
        directory.mkdir(exist_ok=True)
        directory.chmod(0o755)


def _same(current: Path, files: Mapping[str, FileContent]) -> bool:
    there = {str(path.relative_to(current)): path for path in current.rglob("*") if path.is_file()}
    return there.keys() == files.keys() and all(
        path.read_bytes() == files[name].data and path.stat().st_mode & 0o7777 == files[name].mode
        for name, path in there.items()
    )


def _fresh_directory(directory: Path, now: Instant) -> Path:
    stamp = datetime.fromtimestamp(now, UTC).strftime("..%Y_%m_%d_%H_%M_%S")
    for number in range(1, 1_000_000):
        fresh = directory / f"{stamp}.{number}"
        try:
            fresh.mkdir(mode=0o755)
        except FileExistsError:
            continue
        fresh.chmod(0o755)
        return fresh
    raise FileExistsError(f"{directory} is full")


def _link_names(directory: Path, names: set[str]) -> None:
    for entry in sorted(directory.iterdir()):
        if entry.name.startswith("..") or entry.name in names:
            continue
        if entry.is_symlink():
            entry.unlink()
    for name in sorted(names):
        link = directory / name
        if not link.is_symlink():
            link.symlink_to(f"{_CURRENT}/{name}")
