"""`hostPath`: a path of the node itself, checked to be what the spec says it is."""

from functools import partial
from pathlib import Path
from typing import ClassVar

from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.host_paths import require
from pilothouse.kubelet.volume import Surroundings, VolumeType


class HostPathVolume(VolumeType):
    """A path of the node."""

    field: ClassVar[str] = "hostPath"
    plugin: ClassVar[str] = "host-path"

    async def set_up(self, volume: Volume, around: Surroundings, /) -> Path:
        """Check the path, or make it where the type says so."""
        path, kind = Path(volume.hostPath.path), volume.hostPath.type
        if kind:
            # It may be of a server that is gone.
            await around.paths.look((path, kind), partial(require, path, kind))
        return path
