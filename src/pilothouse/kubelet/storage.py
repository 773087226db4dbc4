"""What persistent volumes are had with, beside what all volumes are: claims, what is mounted here, disks and drivers.

Upstream: pkg/kubelet/volumemanager asks the same of the API server.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pilothouse.api.machinery.errors import NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node, PersistentVolume, PersistentVolumeClaim
from pilothouse.api.types.storage_v1 import CSIDriver, VolumeAttachment
from pilothouse.client.client import Client
from pilothouse.client.informer import Lister
from pilothouse.client.key import Key
from pilothouse.kubelet.api import Recorder
from pilothouse.kubelet.csi.drivers import CsiDrivers
from pilothouse.kubelet.volume_users import VolumeUsers
from pilothouse.runtime.clock import Clock

_MOMENT = 10.0
"""Seconds for which a driver's object is not read again."""


class StorageObjects(Protocol):
    """Objects of the API. Methods may raise StatusError and OSError; None stands for what is not there."""

    async def claim(self, namespace: str, name: str) -> PersistentVolumeClaim:
        """A claim; NotFound when there is none."""
        ...

    async def volume(self, name: str) -> PersistentVolume:
        """A persistent volume; NotFound when there is none."""
        ...

    async def node(self) -> Node:
        """The node itself."""
        ...

    async def attachment(self, name: str) -> VolumeAttachment:
        """What was attached to the node; NotFound when it was not."""
        ...

    async def driver(self, name: str) -> CSIDriver | None:
        """What a driver of CSI wants of the node."""
        ...

    async def patch_claim_status(self, claim: PersistentVolumeClaim, status: JsonObject) -> PersistentVolumeClaim:
        """Tell of the claim's volume by a merge patch. Raises Conflict when the claim has changed meanwhile."""
        ...


class Disks(Protocol):
    """Mounts that may take their time, and may hang: each call has a deadline. Methods raise OSError."""

    async def mount(self, source: str, target: Path, kind: str, options: tuple[str, ...] = ()) -> None:
        """Mount a file system."""
        ...

    async def format_and_mount(self, device: Path, target: Path, kind: str, options: tuple[str, ...] = ()) -> None:
        """Mount a device, which gets a file system if it has none."""
        ...

    async def unmount(self, target: Path) -> None:
        """Take a mount away when nothing uses it any more; none there is fine."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """One a node."""

    node_name: str
    objects: StorageObjects
    disks: Disks
    recorder: Recorder
    users: VolumeUsers
    drivers: CsiDrivers


class ClientStorage:
    """`StorageObjects` over the API."""

    def __init__(self, client: Client, node_name: str, nodes: Lister[Node], clock: Clock) -> None:
        self._client = client
        self._node_name = node_name
        self._nodes = nodes
        self._clock = clock
        self._drivers: dict[str, tuple[float, CSIDriver | None]] = {}

    async def claim(self, namespace: str, name: str) -> PersistentVolumeClaim:
        """A claim."""
        return await self._client.get(PersistentVolumeClaim, name, namespace)

    async def volume(self, name: str) -> PersistentVolume:
        """A persistent volume."""
        return await self._client.get(PersistentVolume, name)

    async def node(self) -> Node:
        """The node itself."""
        return self._nodes.get(Key("", self._node_name)) or await self._client.get(Node, self._node_name)

    async def attachment(self, name: str) -> VolumeAttachment:
        """What was attached."""
        return await self._client.get(VolumeAttachment, name)

    async def driver(self, name: str) -> CSIDriver | None:
        """A driver of CSI, as it was a moment ago."""
        until, known = self._drivers.get(name, (0.0, None))
        if known is None or self._clock.monotonic() >= until:
            try:
                known = await self._client.get(CSIDriver, name)
            except NotFound:
                known = None
            except (StatusError, OSError):
                if known is None:
                    raise
            self._drivers[name] = (self._clock.monotonic() + _MOMENT, known)
        return known

    async def patch_claim_status(self, claim: PersistentVolumeClaim, status: JsonObject) -> PersistentVolumeClaim:
        """Apply a merge patch to the claim's status, unless it has changed meanwhile."""
        meta = claim.metadata
        body = {"metadata": {"uid": meta.uid, "resourceVersion": meta.resourceVersion}, "status": status}
        return await self._client.patch(PersistentVolumeClaim, meta.name, meta.namespace, body, subresource="status")
