"""Images as directories, for runtimes that cannot mount images into containers themselves: containerd before 2.1.

What containerd 2.1 does within its CRI is done here beside it, by containerd's own API of snapshots: a view of an
image's topmost layer, named after the volume, which keeps the layers from being collected for as long as it is there;
and a mount of what the view is made of. Used where the kubelet was told of a containerd that it may ask so.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from pilothouse.kubelet.cri.connection import Connection
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.volume import ImageMounts, VolumeError
from pilothouse.linux.image_mount import mount_layers
from pilothouse.net.grpc_channel import GrpcChannel
from pilothouse.net.grpc_frames import GrpcCode, GrpcError
from pilothouse.net.message_table import message_classes
from pilothouse.runtime.clock import Clock

_PACKAGE = "containerd.services.snapshots.v1"
_MESSAGES = """
Mount type=1 source=2 target=3 options:string*=4
ViewSnapshotRequest snapshotter=1 key=2 parent=3 labels:map=4
MountsRequest snapshotter=1 key=2
MountsResponse mounts:Mount*=1
RemoveSnapshotRequest snapshotter=1 key=2
Nothing
"""
_IN_NAMESPACE = (("containerd-namespace", "k8s.io"),)
_KEPT = "containerd.io/gc.root"
_PATIENCE = 60.0
"""Seconds for one call."""


class ContainerdSnapshots(ImageMounts):
    """Of the containerd behind `socket`, which has unpacked images with its snapshotter."""

    def __init__(self, socket: Path, clock: Clock, snapshotter: str = "overlayfs") -> None:
        self._socket = str(socket)
        self._clock = clock
        self._snapshotter = snapshotter

    async def content(self, image: str) -> str:
        """The chain of an image's layers."""
        try:
            async with Connection(self._socket, self._clock) as cri:
                found = await cri.call("ImageStatus", image={"image": image}, verbose=True)
            return str(orjson.loads(found.info["info"])["chainID"])
        except (CriError, KeyError, ValueError) as error:
            raise VolumeError(f"failed to get the layers of image {image}: {error}") from error

    async def show(self, content: str, key: str, target: Path) -> None:
        """View the chain, and mount it."""
        asked = {"snapshotter": self._snapshotter, "key": key}
        try:
            made = await self._call("View", "ViewSnapshotRequest", parent=content, labels={_KEPT: "true"}, **asked)
        except GrpcError as error:
            if error.code is not GrpcCode.ALREADY_EXISTS:
                raise VolumeError(f"failed to view image volume: {error}") from error
            made = await self._mounts(asked)
        try:
            await mount_layers(_layers(made.mounts), target, self._clock)
        except OSError as error:
            raise VolumeError(f"failed to mount image volume: {error}") from error

    async def _mounts(self, asked: Mapping[str, str]) -> Any:
        try:
            return await self._call("Mounts", "MountsRequest", **asked)
        except GrpcError as error:
            raise VolumeError(f"failed to get the mounts of image volume: {error}") from error

    async def hide(self, key: str) -> None:
        """Remove the view; none there is fine."""
        try:
            await self._call("Remove", "RemoveSnapshotRequest", "Nothing", snapshotter=self._snapshotter, key=key)
        except GrpcError as error:
            if error.code is not GrpcCode.NOT_FOUND:
                raise VolumeError(f"failed to remove image volume: {error}") from error

    async def _call(self, name: str, request: str, answer: str = "MountsResponse", **fields: Any) -> Any:
        """One call on a connection of its own: pods with such volumes come and go seldom. Raises GrpcError."""
        messages = _messages()
        channel = GrpcChannel(f"unix:{self._socket}", None, self._clock)
        try:
            async with self._clock.timeout(_PATIENCE):
                stream = await channel.stream(f"/{_PACKAGE}.Snapshots/{name}", _IN_NAMESPACE)
                stream.write(messages[request](**fields).SerializeToString(), last=True)
                found = await stream.read()
                while await stream.read() is not None:
                    pass
        except TimeoutError:
            raise GrpcError(GrpcCode.DEADLINE_EXCEEDED, "the runtime does not answer") from None
        finally:
            await channel.close()
        return messages[answer].FromString(found or b"")


def _layers(mounts: Sequence[Any]) -> list[Path]:
    """The directories that lie over each other, the topmost first: what snapshotters of directories tell of a view."""
    for mount in mounts:
        if mount.type == "bind":
            return [Path(mount.source)]
        if mount.type == "overlay":
            for option in mount.options:
                name, _, value = option.partition("=")
                if name == "lowerdir":
                    return [Path(part) for part in value.split(":")]
    raise VolumeError(f"failed to mount image volume: a snapshot of {', '.join(one.type for one in mounts)}")


@lru_cache(maxsize=1)
def _messages() -> Mapping[str, Any]:
    return message_classes(_PACKAGE, _MESSAGES, "")
