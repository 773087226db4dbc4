"""A path of the node as a persistent volume, for clusters of one node. The same checks as of a pod's own `hostPath`."""

from functools import partial
from pathlib import Path
from typing import ClassVar

from pilothouse.kubelet.bound_volume import BoundVolume
from pilothouse.kubelet.host_paths import require
from pilothouse.kubelet.persistent_source import PersistentSource
from pilothouse.kubelet.volume import Ground, HostVolume, Surroundings
from pilothouse.kubelet.volume_record import VolumeRecord


class HostPathSource(PersistentSource):
    """A path."""

    field: ClassVar[str] = "hostPath"
    plugin: ClassVar[str] = "host-path"
    takes_options: ClassVar[bool] = False

    async def set_up(self, bound: BoundVolume, around: Surroundings, /) -> HostVolume:
        """Check it, or make it where its type says so."""
        source = bound.persistent.spec.hostPath
        path = Path(source.path)
        if source.type:
            await around.paths.look((path, source.type), partial(require, path, source.type))
        return HostVolume(path)

    async def tear_down(self, _record: VolumeRecord, _ground: Ground, /, *, last: bool) -> None:
        """It was there before the pod, and stays."""
