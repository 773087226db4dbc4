"""What a process has cost: its CPU to the nanosecond, its memory by PSS."""

import re
from pathlib import Path


def cpu(*pids: int) -> float:
    """Seconds of CPU that these processes have used so far, all their living threads together."""
    return sum(sum(threads(pid).values()) for pid in pids)


def threads(pid: int) -> dict[int, float]:
    """Seconds of CPU that each living thread of a process has used so far."""
    return {int(each.name): _thread(each) for each in Path(f"/proc/{pid}/task").iterdir()}


def memory(*pids: int) -> float:
    """MiB that these processes hold; what they share with others counts by its share."""
    return sum(_pss(Path(f"/proc/{pid}/smaps_rollup").read_text()) for pid in pids)


def _thread(task: Path) -> float:
    try:
        return int((task / "schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0  # it ended meanwhile


def _pss(rollup: str) -> float:
    found = re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
