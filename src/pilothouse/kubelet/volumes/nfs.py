"""`nfs`: a directory of an NFS server. Upstream: pkg/volume/nfs/nfs.go."""

from typing import ClassVar

from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.nfs_mounts import mount_nfs, unmount_nfs
from pilothouse.kubelet.volume import Ground, HostVolume, Surroundings, VolumeType
from pilothouse.kubelet.volume_record import VolumeRecord


class NfsVolume(VolumeType):
    """A server's directory."""

    field: ClassVar[str] = "nfs"
    plugin: ClassVar[str] = "nfs"
    only_used: ClassVar[bool] = True

    async def set_up(self, volume: Volume, around: Surroundings, /) -> HostVolume:
        """Mount it for the pod."""
        target = around.layout.volume(around.pod.metadata.uid, self.plugin, volume.name)
        read_only = bool(volume.nfs.readOnly)
        await mount_nfs(volume.nfs, target, around, read_only=read_only)
        return HostVolume(target, read_only=read_only)

    async def tear_down(self, record: VolumeRecord, ground: Ground, /) -> None:
        """Unmount it."""
        await unmount_nfs(ground.layout.volume(record.uid, record.plugin, record.volume), ground)
