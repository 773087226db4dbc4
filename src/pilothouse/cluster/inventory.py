"""Inventory: what a cluster has made outside its home. An entry is on disk before the thing exists.

`down` removes what stands here and nothing else, so it also finds what a cluster left behind that was killed
half-way. One JSON object a line; a torn last line is of a thing that was never made.
"""

import os
from pathlib import Path

import orjson

from pilothouse.network.plan import Made, Trace


class Inventory:
    """The list of one cluster."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def record(self, trace: Trace) -> None:
        """Add an entry, once; returns when it is on disk. What a setting was before stays what was noted first."""
        known = self.traces()
        if any(each.made is trace.made and each.name == trace.name for each in known):
            return
        line = orjson.dumps({"made": trace.made.value, "name": trace.name, "before": trace.before}) + b"\n"
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def traces(self) -> list[Trace]:
        """All entries, the earliest first."""
        if not self._path.exists():
            return []
        found = []
        for line in self._path.read_bytes().splitlines():
            try:
                entry = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            found.append(Trace(Made(entry["made"]), entry["name"], entry["before"]))
        return found

    def clear(self) -> None:
        """Forget it all: it is removed."""
        self._path.unlink(missing_ok=True)
