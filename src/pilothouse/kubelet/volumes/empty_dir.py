"""`emptyDir`: a directory that lives as long as the pod, on the node's disk or in memory."""

import os
from pathlib import Path
from typing import ClassVar

from pilothouse.api.machinery.quantity import parse_quantity
from pilothouse.api.types.core_v1 import Pod, Volume
from pilothouse.kubelet.environment import Facts
from pilothouse.kubelet.resources.linux import total_memory_limit
from pilothouse.kubelet.volume import Surroundings, VolumeError, VolumeType

_OPEN = 0o777
_SET_GROUP = 0o2000


class EmptyDirVolume(VolumeType):
    """A directory for scratch data."""

    field: ClassVar[str] = "emptyDir"
    plugin: ClassVar[str] = "empty-dir"

    async def set_up(self, volume: Volume, around: Surroundings) -> Path:
        """Have the directory; what is in it stays."""
        source = volume.emptyDir
        directory = around.layout.volume(around.pod.metadata.uid, self.plugin, volume.name)
        fresh = not directory.exists()
        directory.mkdir(parents=True, exist_ok=True)
        if source.medium == "Memory":
            if not around.mounter.is_mounted(directory):
                around.mounter.tmpfs(directory, memory_size(around.pod, source.sizeLimit, around.facts), _OPEN)
                fresh = True
        elif source.medium:
            raise VolumeError(f'unknown storage medium "{source.medium}"')
        if fresh:
            group = around.pod.spec.securityContext.fsGroup
            if group is not None:
                os.chown(directory, -1, group)
            directory.chmod(_OPEN | (_SET_GROUP if group is not None else 0))
        return directory


def memory_size(pod: Pod, wanted: str, facts: Facts) -> int:
    """How large a directory in memory may get: no larger than what pod and node have; 0 for the kernel's half."""
    texts = (wanted, facts.allocatable.get("memory", ""))
    sizes = [total_memory_limit(pod), *(parse_quantity(text).value() for text in texts if text)]
    return min((size for size in sizes if size), default=0)
