"""`image`: what an image holds. It is mounted when a container starts, see `images/image_volumes`.

Upstream: pkg/volume/image.
"""

import asyncio
from pathlib import Path
from typing import ClassVar

from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.volume import Ground, HostVolume, Surroundings, VolumeType, image_key, take_away
from pilothouse.kubelet.volume_record import VolumeRecord


class ImageVolume(VolumeType):
    """An image's files."""

    field: ClassVar[str] = "image"
    plugin: ClassVar[str] = "image"

    async def set_up(self, volume: Volume, around: Surroundings, /) -> HostVolume:
        """Nothing yet: pulling needs a sandbox."""
        return HostVolume(around.layout.volume(around.pod.metadata.uid, self.plugin, volume.name), read_only=True)

    async def tear_down(self, record: VolumeRecord, ground: Ground, /) -> None:
        """Take away what the kubelet has mounted beside the runtime: each content has a directory."""
        directory = ground.layout.volume(record.uid, record.plugin, record.volume)
        for place in await asyncio.to_thread(_places, directory):
            await asyncio.to_thread(_unmount, place, ground)
            if ground.image_mounts is not None:
                await ground.image_mounts.hide(image_key(record.uid, record.volume, place.name))
            await asyncio.to_thread(place.rmdir)
        await asyncio.to_thread(take_away, directory, ground.mounter)


def _places(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def _unmount(place: Path, ground: Ground) -> None:
    for point in ground.mounter.below(place):
        ground.mounter.unmount(point)
