"""When the last shutdown began and ended, kept on disk: the next kubelet's metrics tell of it.

The file is upstream's, whose times are RFC 3339 and begin in the year 1.
"""

from dataclasses import dataclass
from pathlib import Path

import orjson

from pilothouse.runtime.clock import Instant, format_micro_time, parse_time
from pilothouse.runtime.whole_file import write_whole

FILE = "graceful_node_shutdown_state"
_NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class ShutdownRecord:
    """Times are 0 for what did not happen."""

    began: Instant = 0.0
    ended: Instant = 0.0

    @classmethod
    def load(cls, root: Path) -> "ShutdownRecord":
        """As it lies in this directory; empty where there is none. Raises OSError, ValueError."""
        try:
            found = orjson.loads((root / FILE).read_bytes())
        except FileNotFoundError:
            return cls()
        if not isinstance(found, dict):
            raise ValueError(f"{FILE} is no object")
        return cls(_read(found.get("startTime")), _read(found.get("endTime")))

    def save(self, root: Path) -> None:
        """Have it in place of an older one, whole or not at all. Raises OSError."""
        times = {"startTime": _written(self.began), "endTime": _written(self.ended)}
        write_whole(root / FILE, orjson.dumps(times))


def _written(at: Instant) -> str:
    return format_micro_time(at) if at else _NEVER


def _read(text: object) -> Instant:
    return max(parse_time(text), 0.0) if isinstance(text, str) else 0.0
