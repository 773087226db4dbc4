"""Files that change all at once: readers see the old set or the new one, never a mixture.

The set lies in a directory named after the time; `..data` links to it, and each name links through `..data`. One
rename of that link is the change. This is upstream's layout, which applications watch for. A pod that starts may have
fifty such sets: paths are text here, since pathlib takes three times what the calls of the system do.
"""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pilothouse.runtime.clock import Instant

_CURRENT = "..data"
_OPEN = 0o755


@dataclass(frozen=True, slots=True)
class FileContent:
    """One file."""

    data: bytes
    mode: int
    owner: int = -1
    group: int = -1


def write_files(directory: Path, files: Mapping[str, FileContent], now: Instant) -> bool:
    """Have exactly `files` (by relative path) in `directory`; whether anything changed."""
    current = f"{directory}/{_CURRENT}"
    old = _target(current)
    if old and _same(current, files):
        return False
    fresh = _fresh_directory(directory, now)
    made: set[str] = set()
    for name, content in files.items():
        _make_above(fresh, name, made)
        _write(f"{fresh}/{name}", content)
    swap = f"{directory}/..data_tmp"
    with suppress(FileNotFoundError):
        os.unlink(swap)
    os.symlink(os.path.basename(fresh), swap)
    os.rename(swap, current)
    _link_names(directory, {name.split("/")[0] for name in files})
    if old:
        shutil.rmtree(f"{directory}/{old}", ignore_errors=True)
    return True


def _target(link: str) -> str:
    """Where a link leads; nowhere when it is none."""
    try:
        return os.readlink(link)
    except OSError:
        return ""


def _make_above(top: str, name: str, made: set[str]) -> None:
    """The directories that a file lies in, below `top`."""
    above = name.rpartition("/")[0]
    if not above or above in made:
        return
    _make_above(top, above, made)
    os.mkdir(f"{top}/{above}")
    os.chmod(f"{top}/{above}", _OPEN)
    made.add(above)


def _write(path: str, content: FileContent) -> None:
    # Running containers see the directory already: nobody may open what they shall not read.
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(content.data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fchmod(file, content.mode)
        if content.owner >= 0 or content.group >= 0:
            os.fchown(file, content.owner, content.group)
    finally:
        os.close(file)


def _same(current: str, files: Mapping[str, FileContent]) -> bool:
    """Whether these files are there, and no others."""
    count = sum(len(names) for _, _, names in os.walk(current))
    return count == len(files) and all(_holds(f"{current}/{name}", content) for name, content in files.items())


def _holds(path: str, content: FileContent) -> bool:
    try:
        with open(path, "rb", buffering=0) as file:
            return os.fstat(file.fileno()).st_mode & 0o7777 == content.mode and file.readall() == content.data
    except OSError:
        return False


def _fresh_directory(directory: Path, now: Instant) -> str:
    stamp = datetime.fromtimestamp(now, UTC).strftime("..%Y_%m_%d_%H_%M_%S")
    for number in range(1, 1_000_000):
        fresh = f"{directory}/{stamp}.{number}"
        try:
            os.mkdir(fresh)
        except FileExistsError:
            continue
        os.chmod(fresh, _OPEN)
        return fresh
    raise FileExistsError(f"{directory} is full")


def _link_names(directory: Path, names: set[str]) -> None:
    there = set()
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_symlink() and not entry.name.startswith(".."):
                there.add(entry.name)
    for name in there - names:
        os.unlink(f"{directory}/{name}")
    for name in sorted(names - there):
        os.symlink(f"{_CURRENT}/{name}", f"{directory}/{name}")
