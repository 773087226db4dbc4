"""Images that a node has from its start on: archives in a directory, for machines that reach no registry.

They are loaded at each start, as images may have been removed since; plain ones only, others containerd 1.6 cannot
read. k3s has such a directory too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from pilothouse.kubelet.containerd import RuntimeMissing
from pilothouse.runtime.log import Log

log = Log(__name__)
_ENDING = ".tar"


async def load_archives(directory: Path, load: Callable[[Path], Awaitable[None]]) -> None:
    """Load all, in the order of their names; one that is no archive does not keep the others."""
    for archive in await asyncio.to_thread(_archives, directory):
        try:
            await load(archive)
        except RuntimeMissing as error:
            log.error("Cannot load images", archive=str(archive), err=str(error))


def _archives(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.suffix == _ENDING and path.is_file())
