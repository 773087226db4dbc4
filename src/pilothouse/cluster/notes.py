"""Notes: which processes a cluster has, on disk, so that a new supervisor adopts them and `down` ends them."""

from collections.abc import Mapping

import orjson

from pilothouse.cluster.home import Home, private_directory, write_private
from pilothouse.linux.processes import Identity

SUPERVISOR = "supervisor"
WATCHER = "watcher"
"""The two entries that are no roles: who starts the roles, and who starts it again."""


class Notes:
    """The notes of one cluster."""

    def __init__(self, home: Home) -> None:
        self._file = home.supervisor / "processes.json"
        self._stopping = home.supervisor / "stopping"
        self._directory = home.supervisor

    def write(self, processes: Mapping[str, Identity]) -> None:
        """Note what runs."""
        found = {name: {"pid": each.pid, "started": each.started} for name, each in processes.items()}
        write_private(self._file, orjson.dumps(found, option=orjson.OPT_INDENT_2))

    def living(self) -> dict[str, Identity]:
        """What was noted and still runs."""
        if not self._file.exists():
            return {}
        noted = orjson.loads(self._file.read_bytes())
        found = {name: Identity(each["pid"], each["started"]) for name, each in noted.items()}
        return {name: each for name, each in found.items() if each.alive()}

    def stop(self) -> None:
        """Let nobody start anything any more, also where nothing was started yet."""
        private_directory(self._directory)
        self._stopping.touch()

    def go(self) -> None:
        """Take that back."""
        private_directory(self._directory)
        self._stopping.unlink(missing_ok=True)

    @property
    def stopping(self) -> bool:
        """Whether nothing is to be started. A home that is gone stops as well."""
        return self._stopping.exists() or not self._directory.exists()
