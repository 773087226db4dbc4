"""Sets of processors as the kernel and CRI write them: `0-3,5`. Format: cpuset(7), "List format"."""

from collections.abc import Iterable

Cpus = frozenset[int]


def parse(text: str) -> Cpus:
    """Read a list. Raises ValueError."""
    found: set[int] = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, dash, last = part.partition("-")
        if dash and int(last) < int(first):
            raise ValueError(f'invalid range "{part}" ({last} < {first})')
        found.update(range(int(first), int(last if dash else first) + 1))
    return frozenset(found)


def text(cpus: Iterable[int]) -> str:
    """Write one; empty when it is."""
    runs: list[list[int]] = []
    for cpu in sorted(cpus):
        if runs and runs[-1][-1] == cpu - 1:
            runs[-1][1:] = [cpu]
        else:
            runs.append([cpu])
    return ",".join("-".join(map(str, run)) for run in runs)
