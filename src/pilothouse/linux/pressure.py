"""How much time a control group lost waiting for processors, memory or disks. Version 2 alone; the kernel's psi.rst.

Some: at least one of its tasks waited. Full: all of them did, nothing was done meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pilothouse.linux.cgroup_usage import read
from pilothouse.linux.cgroups import Cgroups

RESOURCES = ("cpu", "memory", "io")


@dataclass(frozen=True, slots=True)
class Stall:
    """Shares of the last seconds in percent, and the whole time in microseconds since the group was made."""

    avg10: float = 0.0
    avg60: float = 0.0
    avg300: float = 0.0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Pressure:
    """Of one resource."""

    some: Stall = Stall()
    full: Stall = Stall()


def pressures(cgroups: Cgroups, path: str) -> Mapping[str, Pressure]:
    """By resource, of those that the kernel tells."""
    if not cgroups.v2:
        return {}
    # Not every kernel counts, and some only when they are told to at boot.
    texts = {resource: read(f"{cgroups.unified}/{path}", f"{resource}.pressure") for resource in RESOURCES}
    return {resource: parse(text) for resource, text in texts.items() if text is not None}


def parse(text: bytes) -> Pressure:
    """A file: a line each for some and full, such as `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`."""
    pressure = Pressure()
    for line in text.splitlines():
        kind, *figures = line.split()
        ten, sixty, long, total = (figure.partition(b"=")[2] for figure in figures)
        stall = Stall(float(ten), float(sixty), float(long), int(total))
        pressure = replace(pressure, some=stall) if kind == b"some" else replace(pressure, full=stall)
    return pressure
