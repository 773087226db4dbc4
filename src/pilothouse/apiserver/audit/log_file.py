"""The file that audit events go to: lines are appended, and a file that has grown is put aside under its time.

`audit.log` becomes `audit-2026-01-02T15-04-05.000.log`; those beyond a number or an age are removed. What is written is
only ever whole lines. Blocking: it belongs to a thread. Source: the flags --audit-log-*; natefinch/lumberjack, whose
names and rules these are.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pilothouse.runtime.clock import Instant, format_micro_time, parse_time

DAY = 86_400.0
_MEGABYTE = 1 << 20
_DEFAULT_SIZE = 100
STANDARD_OUTPUT = Path("-")


@dataclass(frozen=True, slots=True)
class Rotation:
    """When a file is put aside, and for how long it is kept. 0 is no limit; for the size it is 100."""

    size: int = 0
    """--audit-log-maxsize: megabytes."""
    age: int = 0
    """--audit-log-maxage: days."""
    backups: int = 0
    """--audit-log-maxbackup: how many old files."""


class LogFile:
    """One file, open for appending. `-` is the standard output, which never rotates."""

    def __init__(self, path: Path, rotation: Rotation) -> None:
        self._path = path
        self._rotation = rotation
        self._limit = (rotation.size or _DEFAULT_SIZE) * _MEGABYTE
        self._file = -1
        self._size = 0

    def write(self, lines: bytes, now: Instant) -> None:
        """Append whole lines. Raises OSError."""
        if self._path == STANDARD_OUTPUT:
            _write_all(1, lines)
            return
        if self._file < 0:
            self._open()
        if self._size and self._size + len(lines) > self._limit:
            self._rotate(now)
        _write_all(self._file, lines)
        self._size += len(lines)

    def close(self) -> None:
        """Give the file up."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._file).st_size

    def _rotate(self, now: Instant) -> None:
        self.close()
        moment = now
        while (aside := self._name_of(moment)).exists():
            moment += 0.001
        self._path.replace(aside)
        self._open()
        for path in self._superfluous(now):
            path.unlink(missing_ok=True)

    def _name_of(self, moment: Instant) -> Path:
        stamp = format_micro_time(moment)[:-4].replace(":", "-")
        return self._path.with_name(f"{self._path.stem}-{stamp}{self._path.suffix}")

    def _superfluous(self, now: Instant) -> list[Path]:
        aside = sorted(self._aside(), reverse=True)
        gone = aside[self._rotation.backups :] if self._rotation.backups else []
        if self._rotation.age:
            gone += [each for each in aside if each not in gone and each[0] < now - self._rotation.age * DAY]
        return [path for _, path in gone]

    def _aside(self) -> list[tuple[Instant, Path]]:
        """The files put aside, with their times."""
        name = re.compile(
            rf"{re.escape(self._path.stem)}-(\d{{4}}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d\.\d{{3}}){re.escape(self._path.suffix)}"
        )
        found = ((name.fullmatch(path.name), path) for path in self._path.parent.iterdir())
        return [(parse_time(f"{m[1]}{m[2]}:{m[3]}:{m[4]}+00:00"), path) for m, path in found if m is not None]


def _write_all(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]
