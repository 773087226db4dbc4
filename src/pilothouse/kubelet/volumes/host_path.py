"""`hostPath`: a path of the node itself, checked to be what the spec says it is."""

import stat
from pathlib import Path
from typing import ClassVar

from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.volume import Surroundings, VolumeError, VolumeType

_CHECKS = {
    "Directory": (stat.S_ISDIR, "a directory"),
    "DirectoryOrCreate": (stat.S_ISDIR, "a directory"),
    "File": (stat.S_ISREG, "a file"),
    "FileOrCreate": (stat.S_ISREG, "a file"),
    "Socket": (stat.S_ISSOCK, "a socket file"),
    "CharDevice": (stat.S_ISCHR, "a character device"),
    "BlockDevice": (stat.S_ISBLK, "a block device"),
}


class HostPathVolume(VolumeType):
    """A path of the node."""

    field: ClassVar[str] = "hostPath"
    plugin: ClassVar[str] = "host-path"

    async def set_up(self, volume: Volume, _around: Surroundings, /) -> Path:
        """Check the path, or make it where the type says so."""
        path, kind = Path(volume.hostPath.path), volume.hostPath.type
        if kind:
            _require(path, kind)
        return path


def _require(path: Path, kind: str) -> None:
    if not path.exists():
        if kind == "DirectoryOrCreate":
            path.mkdir(parents=True, mode=0o755)
        elif kind == "FileOrCreate":
            path.touch(mode=0o644)
    check, what = _CHECKS[kind]
    if not path.exists() or not check(path.stat().st_mode):
        raise VolumeError(f"hostPath type check failed: {path} is not {what}")
