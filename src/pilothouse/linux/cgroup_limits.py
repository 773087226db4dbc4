"""What a control group may use, read back from the kernel's files of version 1, 2 or both."""

from pathlib import Path

from pilothouse.linux.cgroups import Cgroups, GroupLimits

_ENDLESS = 1 << 62
"""Version 1 writes no limit of memory as the largest number of pages."""


def limits(cgroups: Cgroups, path: str) -> GroupLimits | None:
    """CPU quota and memory limit of the group, 0 where there is none; None when it is not there."""
    quota, period, memory = 0, 100_000, 0
    if (place := _place(cgroups, "cpu", path)) is not None:
        if cgroups.v2:
            words = (_read(place / "cpu.max") or "max 100000").split()
            quota, period = _number(words[0]), int(words[1])
        else:
            quota = _number(_read(place / "cpu.cfs_quota_us"))
            period = _number(_read(place / "cpu.cfs_period_us")) or period
    if (place := _place(cgroups, "memory", path)) is not None:
        memory = _number(_read(place / ("memory.max" if cgroups.v2 else "memory.limit_in_bytes")))
    if not cgroups.exists(path):
        return None
    return GroupLimits(cpu_quota=quota, cpu_period=period, memory=memory)


def _place(cgroups: Cgroups, controller: str, path: str) -> Path | None:
    root = cgroups.unified if cgroups.v2 else cgroups.controllers.get(controller)
    return root / path.lstrip("/") if root is not None else None


def _number(text: str) -> int:
    """Bytes or microseconds; 0 for no limit."""
    value = int(text) if text not in ("", "max") else 0
    return value if 0 < value < _ENDLESS else 0


def _read(file: Path) -> str:
    """The file; empty when it is not there."""
    try:
        return file.read_text().strip()
    except OSError:
        return ""
