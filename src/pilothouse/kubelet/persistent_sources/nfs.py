"""A directory of an NFS server as a persistent volume. Upstream: pkg/volume/nfs/nfs.go.

A server that is gone makes whoever touches the mount wait: nothing here does, and mounting and unmounting happen in
other processes, with a deadline.
"""

from typing import ClassVar

from pilothouse.kubelet.bound_volume import BoundVolume
from pilothouse.kubelet.nfs_mounts import mount_nfs, unmount_nfs
from pilothouse.kubelet.persistent_source import PersistentSource, place
from pilothouse.kubelet.volume import Ground, HostVolume, Surroundings
from pilothouse.kubelet.volume_record import VolumeRecord


class NfsSource(PersistentSource):
    """A server's directory."""

    field: ClassVar[str] = "nfs"
    plugin: ClassVar[str] = "nfs"

    async def set_up(self, bound: BoundVolume, around: Surroundings, /) -> HostVolume:
        """Mount it for the pod."""
        source = bound.persistent.spec.nfs
        target = around.layout.volume(around.pod.metadata.uid, self.plugin, bound.name)
        read_only = bool(source.readOnly) or bound.read_only
        options = tuple(bound.persistent.spec.mountOptions)
        await mount_nfs(source, target, around, read_only=read_only, options=options)
        return HostVolume(target, read_only=read_only)

    async def tear_down(self, record: VolumeRecord, ground: Ground, /, *, last: bool) -> None:
        """Unmount it."""
        _ = last
        await unmount_nfs(place(record, ground.layout), ground)
