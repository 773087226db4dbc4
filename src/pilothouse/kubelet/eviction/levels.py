"""Reads what is left of everything. Files of the kernel, and one call a file system: it is for threads.

Memory is what the machine has without what is used and cannot be taken back easily, as upstream counts it; the
kernel's own estimate of what is available is higher.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pilothouse.kubelet.eviction.signals import Levels, MemoryLevel
from pilothouse.kubelet.machine import Disk, Processes
from pilothouse.linux.cgroup_usage import usage
from pilothouse.linux.cgroups import Cgroups
from pilothouse.runtime.log import Log

log = Log(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """Where to look."""

    cgroups: Cgroups
    memory: int
    """Bytes that the machine has."""
    kubepods: str
    """The group of all pods."""
    pods_memory: int
    """Bytes that they may use together; 0 without a limit."""
    disk: Path
    """Where pods have their files and logs."""
    images: Path
    """Where images lie."""

    def read(self) -> Levels:
        """What is left. Of what cannot be read nothing is said."""
        return Levels(
            memory=self._memory("/", self.memory),
            pods_memory=self._memory(self.kubepods, self.pods_memory) if self.pods_memory else None,
            disk=_told("nodefs", lambda: Disk.of(self.disk)),
            images=_told("imagefs", lambda: Disk.of(self.images)),
            processes=_told("pid", Processes.read),
        )

    @property
    def images_apart(self) -> bool:
        """Whether images lie on a file system of their own."""
        devices = [_told("file system", place.stat) for place in (self.disk, self.images)]
        return None not in devices and len({one.st_dev for one in devices if one is not None}) > 1

    def _memory(self, group: str, capacity: int) -> MemoryLevel | None:
        used = _told("memory", lambda: usage(self.cgroups, group))
        # A machine that does not count memory says 0.
        return MemoryLevel(capacity, used.working_set, used.memory) if used is not None and used.memory else None


def _told(what: str, read: Callable[[], _T]) -> _T | None:
    try:
        return read()
    except (OSError, ValueError) as error:
        log.warning("Eviction manager: no observation found", of=what, err=str(error))
        return None
