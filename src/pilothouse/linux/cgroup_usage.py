"""What a control group uses, with all below it, read from the kernel's files of version 1, 2 or both.

Read often, for every container of a node: four or five small files a group, and nothing else is touched. Working set
is what the kernel could not easily take back: everything but the file pages that nobody used lately. Sources: the
kernel's cgroup-v1/memory.rst, cpuacct.rst, pids.rst and cgroup-v2.rst; cAdvisor counts in the same way.
"""

import errno
import os
from dataclasses import dataclass

from pilothouse.linux.cgroups import Cgroups

_NOT_TOLD = (errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.EOPNOTSUPP)


@dataclass(frozen=True, slots=True)
class Usage:
    """Memory in bytes; CPU time and faults since the group was made. 0 where this machine does not count it."""

    cpu_nanos: int
    memory: int
    """With the pages of files."""
    working_set: int
    rss: int
    """Memory that belongs to no file."""
    page_faults: int
    major_page_faults: int
    """Those that had to read from a disk."""
    pids: int
    """Processes and threads; the kernel does not count them for the whole machine."""
    swap: int
    cache: int = 0
    """Pages of files."""


@dataclass(frozen=True, slots=True)
class Throttling:
    """How often a group with a quota of CPU time had to wait for the next period."""

    periods: int
    throttled_periods: int
    throttled_nanos: int


@dataclass(frozen=True, slots=True)
class _Memory:
    usage: int = 0
    inactive_file: int = 0
    rss: int = 0
    faults: int = 0
    major_faults: int = 0
    swap: int = 0
    cache: int = 0


class _Figures(dict[bytes, bytes]):
    """Numbers by name, read when they are asked for: most are not."""

    def number(self, name: bytes) -> int:
        return int(self.get(name, b"0"))


def usage(cgroups: Cgroups, path: str) -> Usage | None:
    """What the group uses now; None when it is not there, or goes while it is read. `/` is the whole machine."""
    pids = _number(_place(cgroups, "pids", path), "pids.current")
    memory = _memory(cgroups, path)
    # The last one: with version 2 this file is there for as long as the group is.
    cpu = _cpu(cgroups, path)
    if memory is None or cpu is None:
        return None
    return Usage(
        cpu_nanos=cpu,
        memory=memory.usage,
        working_set=max(memory.usage - memory.inactive_file, 0),
        rss=memory.rss,
        page_faults=memory.faults,
        major_page_faults=memory.major_faults,
        pids=pids or 0,
        swap=memory.swap,
        cache=memory.cache,
    )


def throttling(cgroups: Cgroups, path: str) -> Throttling | None:
    """What became of the group's quota; None when it is not there."""
    figures = _figures(_place(cgroups, "cpu", path), "cpu.stat")
    if figures is None:
        return None
    nanos = figures.number(b"throttled_time") or figures.number(b"throttled_usec") * 1000
    return Throttling(figures.number(b"nr_periods"), figures.number(b"nr_throttled"), nanos)


def _place(cgroups: Cgroups, controller: str, path: str) -> str:
    """The group's directory where the controller is, as `Cgroups.place` has it; empty when nowhere."""
    root = cgroups.controllers.get(controller, cgroups.unified)
    return "" if root is None else f"{root}/{path}"


def _cpu(cgroups: Cgroups, path: str) -> int | None:
    place = _place(cgroups, "cpuacct", path)
    if "cpuacct" in cgroups.controllers:
        return _number(place, "cpuacct.usage")
    if not place:
        return 0
    figures = _figures(place, "cpu.stat")
    return None if figures is None else figures.number(b"usage_usec") * 1000


def _memory(cgroups: Cgroups, path: str) -> _Memory | None:
    place = _place(cgroups, "memory", path)
    if "memory" not in cgroups.controllers:
        return _memory_v2(place) if place else _Memory()
    used, figures = _number(place, "memory.usage_in_bytes"), _figures(place, "memory.stat")
    if used is None or figures is None:
        return None
    return _Memory(
        used,
        figures.number(b"total_inactive_file"),
        figures.number(b"total_rss"),
        figures.number(b"total_pgfault"),
        figures.number(b"total_pgmajfault"),
        figures.number(b"total_swap"),
        figures.number(b"total_cache"),
    )


def _memory_v2(place: str) -> _Memory:
    """Zeros where memory is not counted: groups whose parent does not hand the controller on."""
    figures = _figures(place, "memory.stat") or _Figures()
    anonymous, cache = figures.number(b"anon"), figures.number(b"file")
    used = _number(place, "memory.current")
    if used is None:
        # The root has no such file.
        used = anonymous + cache
    return _Memory(
        used,
        figures.number(b"inactive_file"),
        anonymous,
        figures.number(b"pgfault"),
        figures.number(b"pgmajfault"),
        _number(place, "memory.swap.current") or 0,
        cache,
    )


def _number(directory: str, name: str) -> int | None:
    text = read(directory, name)
    return None if text is None else int(text)


def _figures(directory: str, name: str) -> _Figures | None:
    """A file whose lines have a name and a number each."""
    text = read(directory, name)
    if text is None:
        return None
    words = text.split()
    return _Figures(zip(words[::2], words[1::2], strict=True))


def read(directory: str, name: str) -> bytes | None:
    """The file; None when it is not there, or the kernel was told at boot not to count this (EOPNOTSUPP).

    Groups vanish at any time: between opening and reading too (ENODEV).
    """
    if not directory:
        return None
    try:
        handle = os.open(f"{directory}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in _NOT_TOLD:
            raise
        return None
    try:
        return os.read(handle, 1 << 16)
    except OSError as error:
        if error.errno not in _NOT_TOLD:
            raise
        return None
    finally:
        os.close(handle)
