"""A directory or a disk of one node as a persistent volume. Upstream: pkg/volume/local/local.go.

A disk with a file system is mounted once for the node; pods see it, or a directory, by a bind mount each. Only the
first pod has what is in it given to its fsGroup.
"""

import asyncio
import stat
from functools import partial
from pathlib import Path
from typing import ClassVar

from pilothouse.kubelet.bound_volume import BoundVolume
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.persistent_source import PersistentSource, failure, place
from pilothouse.kubelet.storage import Storage
from pilothouse.kubelet.volume import (
    Ground,
    HostVolume,
    Ownership,
    Surroundings,
    VolumeError,
    leave_mount_point,
    remove_mount_point,
)
from pilothouse.kubelet.volume_record import VolumeRecord

_DEFAULT_KIND = "ext4"


class LocalSource(PersistentSource):
    """A path of the node that the volume's nodeAffinity binds it to."""

    field: ClassVar[str] = "local"
    plugin: ClassVar[str] = "local-volume"

    async def set_up(self, bound: BoundVolume, around: Surroundings, /) -> HostVolume:
        """Show it below the pod; a device for itself is shown where it is."""
        path = Path(bound.persistent.spec.local.path)
        try:
            mode = (await around.paths.look(("stat", path), path.stat)).st_mode
        except FileNotFoundError:
            why = f'path "{path}" does not exist'
            raise failure("MountVolume.NewMounter initialization", bound, why) from None
        if bound.block:
            if not stat.S_ISBLK(mode):
                raise VolumeError(f"{path} is not a block device")
            return HostVolume(path)
        assert around.storage is not None
        if stat.S_ISBLK(mode):
            root = await self._mounted(bound, path, around.layout, around, around.storage)
        elif stat.S_ISDIR(mode):
            root = path
        else:
            raise VolumeError("only directory and block device are supported")
        uid = around.pod.metadata.uid
        target = around.layout.volume(uid, self.plugin, bound.name)
        shared = await self._shared(bound, root, around, around.storage)
        if not around.mounter.is_mounted(target):
            target.mkdir(parents=True, exist_ok=True, mode=0o750)
            await around.paths.look(("bind", target), partial(around.mounter.bind, root, target), mounts_for=uid)
        return HostVolume(target, fs_group=Ownership.NONE if bound.read_only or shared else Ownership.of(around.pod))

    async def _mounted(
        self, bound: BoundVolume, device: Path, layout: Layout, around: Surroundings, storage: Storage
    ) -> Path:
        """Have a disk's file system mounted for the node."""
        target = _global(layout, bound.name)
        if not around.mounter.is_mounted(target):
            target.mkdir(parents=True, exist_ok=True, mode=0o750)
            spec = bound.persistent.spec
            await storage.disks.format_and_mount(
                device, target, spec.local.fsType or _DEFAULT_KIND, tuple(spec.mountOptions)
            )
        return target

    async def _shared(self, bound: BoundVolume, root: Path, around: Surroundings, storage: Storage) -> bool:
        """Whether another pod has it already; told where that is of another group."""
        pod = around.pod
        if not storage.users.mounted_elsewhere(self.key(bound), pod.metadata.uid):
            return False
        group, present = pod.spec.securityContext.fsGroup, (await around.paths.look(("stat", root), root.stat)).st_gid
        if group is not None and group != present:
            storage.recorder.event(
                reference(pod), "Warning", "AlreadyMountedVolume",
                f"The requested fsGroup is {group}, but the volume {bound.name} has GID {present}. "
                "The volume may not be shareable.",
            )  # fmt: skip
        return True

    async def tear_down(self, record: VolumeRecord, ground: Ground, /, *, last: bool) -> None:
        """Away with the pod's bind mount, and with the node's mount."""
        target = place(record, ground.layout)
        await asyncio.to_thread(leave_mount_point, target, ground.mounter)
        if not last:
            return
        shared = _global(ground.layout, target.name)
        if ground.mounter.is_mounted(shared):
            assert ground.storage is not None
            await ground.storage.disks.unmount(shared)
        await asyncio.to_thread(remove_mount_point, shared)


def _global(layout: Layout, name: str) -> Path:
    return layout.root / "plugins/kubernetes.io~local-volume/mounts" / name
