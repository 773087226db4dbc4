"""`PersistentSource`: what has one kind of persistent volume on the node. Found in `persistent_sources/`.

As with volume types, what is made must be the same each time, and is taken away by what was noted of it alone.
"""

import asyncio
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from pilothouse.kubelet.bound_volume import BoundVolume
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.storage import Storage
from pilothouse.kubelet.volume import Ground, HostVolume, Surroundings, VolumeFailure, leave_mount_point
from pilothouse.kubelet.volume_record import AT, VolumeRecord


class PersistentSource(ABC):
    """One kind of source."""

    field: ClassVar[str]
    """The field of a persistent volume's spec that says it is of this kind."""
    plugin: ClassVar[str]
    """Upstream's name of the plug-in, which is in paths and messages."""

    def key(self, bound: BoundVolume) -> str:
        """The volume's name among all of the cluster, as a node's status tells it."""
        return f"kubernetes.io/{self.plugin}/{bound.name}"

    async def attachable(self, _bound: BoundVolume, _storage: Storage, /) -> bool:
        """Whether somebody attaches it to the node before it can be mounted. Raises VolumeError."""
        return False

    async def ready(self, _bound: BoundVolume, _around: Surroundings, /) -> None:
        """Wait until it can be set up here. Raises VolumeError."""
        return

    takes_options: ClassVar[bool] = True
    """Whether a persistent volume of this kind may have `mountOptions`."""

    @abstractmethod
    async def set_up(self, bound: BoundVolume, around: Surroundings, /) -> HostVolume:
        """Have it for the pod. Nobody else mounts or unmounts this volume meanwhile. Raises VolumeError, OSError."""

    async def tear_down(self, record: VolumeRecord, ground: Ground, /, *, last: bool) -> None:
        """Have it no longer for the pod, and, when that was the `last`, no longer on the node.

        Again and again without harm. Raises VolumeError, OSError.
        """
        _ = last
        await asyncio.to_thread(leave_mount_point, place(record, ground.layout), ground.mounter)


def place(record: VolumeRecord, layout: Layout) -> Path:
    """Where a volume lies below its pod."""
    plugin, name = record.details.get(AT, (record.plugin, record.volume))
    return layout.volume(record.uid, plugin, name)


def failure(step: str, bound: BoundVolume, why: object) -> VolumeFailure:
    """What is said when a step fails, such as `MountVolume.SetUp`."""
    return VolumeFailure(f'{step} failed for volume "{bound.name}" : {why}')
