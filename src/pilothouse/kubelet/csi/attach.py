"""Waits until somebody has attached a volume to the node, and says what came of it.

The node says that it wants the volume (`parts/volumes_in_use.py`); the attach-detach controller makes a
VolumeAttachment, the driver's attacher acts on it, and the node's status tells. Upstream: csi_attacher.go, and
GenerateVerifyControllerAttachedVolumeFunc.
"""

from collections.abc import Mapping

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.types.storage_v1 import VolumeAttachment
from pilothouse.kubelet.csi.csi_volume import CsiVolume, attachment_name
from pilothouse.kubelet.storage import Storage
from pilothouse.kubelet.volume import VolumeError
from pilothouse.runtime.backoff import Backoff, Growth
from pilothouse.runtime.clock import Clock

_LOOKS = Growth(first=0.1, limit=2.0, factor=1.5)


async def wait_attached(volume: CsiVolume, storage: Storage, clock: Clock) -> None:
    """Wait, for ever if need be: who waits has a deadline. Raises VolumeError."""
    looks = Backoff(_LOOKS)
    while True:
        status = (await storage.objects.node()).status
        in_use = volume.key in status.volumesInUse
        if in_use and any(one.name == volume.key for one in status.volumesAttached):
            break
        await clock.sleep(looks.next())
    looks.reset()
    while not _attached(await _attachment(volume, storage)):
        await clock.sleep(looks.next())


async def publish_context(volume: CsiVolume, storage: Storage) -> Mapping[str, str]:
    """What the attacher said that the driver has to know. Raises VolumeError."""
    return dict((await _attachment(volume, storage)).status.attachmentMetadata)


async def _attachment(volume: CsiVolume, storage: Storage) -> VolumeAttachment:
    name = attachment_name(volume, storage.node_name)
    try:
        return await storage.objects.attachment(name)
    except StatusError as error:
        raise VolumeError(f"volume {volume.handle} has GET error for volume attachment {name}: {error}") from error


def _attached(attachment: VolumeAttachment) -> bool:
    if attachment.metadata.deletionTimestamp is not None:
        raise VolumeError("volume attachment is being deleted")
    status = attachment.status
    if not status.attached and status.attachError.message:
        raise VolumeError(status.attachError.message)
    return bool(status.attached)
