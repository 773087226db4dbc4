"""Volumes that are images: pulled as a container's own image is, and mounted by the runtime, read-only and with
nothing in them to be run.

They come last, when the sandbox is there: pulls are told its configuration, and what fails shows in the status of the
container that mounts the volume. Each start of a container looks at its volumes' pull policies anew, so that what
another tag's image holds by then is what it gets. KEP-4639; API page: "Use an Image Volume With a Pod".
"""

import asyncio
import re
from pathlib import Path

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.cri.interface import Cri, CriError, Version
from pilothouse.kubelet.images.pull import ImagePuller, StartError
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.volume import HostVolume, HostVolumes, ImageMounts, Mounter, VolumeError, image_key

PLUGIN = "image"
_RUNTIME = "containerd"
_SINCE = (2, 1)
"""Containerd's first version that mounts images."""


class ImageVolumes:
    """Of all pods."""

    def __init__(
        self, cri: Cri, images: ImagePuller, layout: Layout, mounter: Mounter, beside: ImageMounts | None
    ) -> None:
        self._cri = cri
        self._images = images
        self._layout = layout
        self._mounter = mounter
        self._beside = beside

    async def of(self, pod: Pod, container: Container, sandbox: JsonObject) -> HostVolumes:
        """Those that the container mounts. Raises StartError."""
        mounted = {mount.name for mount in container.volumeMounts}
        found: dict[str, HostVolume] = {}
        failed: StartError | None = None
        for volume in pod.spec.volumes:
            if volume.name not in mounted or not volume.image:
                continue
            try:
                image = await self._images.ensure_volume(pod, container, volume.image, sandbox)
                found[volume.name] = await self._host(pod, volume.name, volume.image.reference, image.id)
            except StartError as error:
                failed = error
        if failed is not None:
            raise failed
        return found

    async def _host(self, pod: Pod, name: str, reference: str, image: str) -> HostVolume:
        place = self._layout.volume(pod.metadata.uid, PLUGIN, name)
        if self._beside is None or await self._runtime_mounts():
            message = {"image": image, "user_specified_image": reference, "annotations": dict(pod.metadata.annotations)}
            return HostVolume(place, read_only=True, image=message)
        try:
            shown = await self._mounted(self._beside, pod.metadata.uid, name, image)
            return HostVolume(shown, read_only=True, sealed=True)
        except (VolumeError, OSError) as error:
            raise StartError("ImageVolumeMountFailed", str(error)) from error

    async def _mounted(self, beside: ImageMounts, uid: str, name: str, image: str) -> Path:
        """The image as a directory. Its name is there before what it stands for, which is then found to be removed."""
        content = await beside.content(image)
        target = self._layout.volume(uid, PLUGIN, name) / content.rpartition(":")[2]
        if not self._mounter.is_mounted(target):
            await asyncio.to_thread(target.mkdir, parents=True, exist_ok=True)
            await beside.show(content, image_key(uid, name, target.name), target)
        return target

    async def _runtime_mounts(self) -> bool:
        try:
            return mounts_images(await self._cri.version())
        except CriError as error:
            raise StartError("CreateContainerError", str(error)) from error


def mounts_images(runtime: Version) -> bool:
    """Whether a runtime mounts images itself; of one that we do not know we hope so, as upstream does of all."""
    numbers = re.match(r"v?(\d+)\.(\d+)", runtime.version)
    if runtime.name != _RUNTIME or numbers is None:
        return True
    return (int(numbers[1]), int(numbers[2])) >= _SINCE
