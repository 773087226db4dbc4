"""Mounts of NFS servers' directories, for pods' own volumes and persistent ones."""

import asyncio
from pathlib import Path

from pilothouse.api.types.core_v1 import NFSVolumeSource
from pilothouse.kubelet.volume import Ground, Surroundings, VolumeError, remove_mount_point


async def mount_nfs(
    source: NFSVolumeSource, target: Path, around: Surroundings, *, read_only: bool, options: tuple[str, ...] = ()
) -> None:
    """Have a directory of a server mounted. Raises VolumeError, OSError."""
    if around.storage is None:
        raise VolumeError("this node offers no volumes of other machines")
    if around.mounter.is_mounted(target):
        return
    await asyncio.to_thread(target.mkdir, parents=True, exist_ok=True, mode=0o750)
    wanted = (*(("ro",) if read_only else ()), *options)
    server = f"[{source.server}]" if ":" in source.server else source.server
    await around.storage.disks.mount(f"{server}:{source.path}", target, "nfs", tuple(dict.fromkeys(wanted)))


async def unmount_nfs(target: Path, ground: Ground) -> None:
    """Have it no longer mounted; what the server has stays. Raises VolumeError, OSError."""
    if ground.storage is None:
        raise VolumeError("this node offers no volumes of other machines")
    if ground.mounter.is_mounted(target):
        await ground.storage.disks.unmount(target)
    await asyncio.to_thread(remove_mount_point, target)
