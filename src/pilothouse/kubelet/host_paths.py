"""Checks that a path of the node is what somebody says it is, and makes it where they may ask for that.

API page: "Volumes", on hostPath and its types.
"""

import stat
from pathlib import Path

from pilothouse.kubelet.volume import VolumeError

_CHECKS = {
    "Directory": (stat.S_ISDIR, "a directory"),
    "DirectoryOrCreate": (stat.S_ISDIR, "a directory"),
    "File": (stat.S_ISREG, "a file"),
    "FileOrCreate": (stat.S_ISREG, "a file"),
    "Socket": (stat.S_ISSOCK, "a socket file"),
    "CharDevice": (stat.S_ISCHR, "a character device"),
    "BlockDevice": (stat.S_ISBLK, "a block device"),
}


def require(path: Path, kind: str) -> None:
    """Have a path be of a kind. Raises VolumeError, OSError."""
    if not path.exists():
        if kind == "DirectoryOrCreate":
            path.mkdir(parents=True, mode=0o755)
        elif kind == "FileOrCreate":
            path.touch(mode=0o644)
    check, what = _CHECKS[kind]
    if not path.exists() or not check(path.stat().st_mode):
        raise VolumeError(f"hostPath type check failed: {path} is not {what}")
