"""Files that are replaced all at once: readers, and whoever comes after a crash, see the old content or the new one."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes, *, owner: int = -1, lasting: bool = True) -> None:
    """Have a file that only `owner` (a user id; -1 for ourselves) can read. Raises OSError.

    Unless it is `lasting`, it may be as it was before after the machine, not only the process, has stopped.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if owner >= 0:
            os.fchown(descriptor, owner, owner)
        file.write(content)
        if lasting:
            file.flush()
            os.fsync(descriptor)
    fresh.replace(path)
    if lasting:
        _keep_names(path.parent)


def _keep_names(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
