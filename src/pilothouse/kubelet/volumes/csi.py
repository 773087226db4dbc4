"""`csi`: a volume of a CSI driver that lives as long as its pod. API page: "Ephemeral Volumes", on CSI ones."""

import json
from typing import Any, ClassVar

from pilothouse.api.types.core_v1 import CSIVolumeSource, Pod, Volume
from pilothouse.kubelet.csi.client import CsiError
from pilothouse.kubelet.csi.csi_volume import GROUPS, CsiVolume, inline, target_path
from pilothouse.kubelet.csi.publish import FS_GROUP, PUBLISHED, publish, unpublish
from pilothouse.kubelet.csi.wishes import Wishes
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.storage import Storage
from pilothouse.kubelet.volume import (
    Ground,
    HostVolume,
    Ownership,
    Surroundings,
    VolumeError,
    VolumeFailure,
    VolumeType,
)
from pilothouse.kubelet.volume_record import FILE, VolumeRecord, VolumeRecords


class CsiInlineVolume(VolumeType):
    """A driver's volume for one pod."""

    field: ClassVar[str] = "csi"
    plugin: ClassVar[str] = "csi"
    only_used: ClassVar[bool] = True

    async def set_up(self, volume: Volume, around: Surroundings, /) -> HostVolume:
        """Publish it; again only where the driver wants that."""
        storage, uid = _storage(around.storage), around.pod.metadata.uid
        wanted = inline(around.pod, volume.name, volume.csi)
        wishes = Wishes.of(await storage.objects.driver(wanted.driver))
        if complaint := wishes.mode_complaint(wanted.lifecycle, wanted.driver):
            step = f'MountVolume.NewMounter initialization failed for volume "{volume.name}"'
            raise VolumeFailure(f"{step} : {complaint}")
        if wishes.republish or not storage.users.settled(uid, volume.name):
            await self._publish(wanted, wishes, around, storage)
            storage.users.settle(uid, volume.name)
        details = VolumeRecords(around.layout).get(uid, self.plugin, volume.name).details
        owner = Ownership[details.get(FS_GROUP, Ownership.NONE.name)]
        return HostVolume(target_path(wanted, uid, around.layout), read_only=wanted.read_only, fs_group=owner)

    async def _publish(self, wanted: CsiVolume, wishes: Wishes, around: Surroundings, storage: Storage) -> None:
        try:
            client = storage.drivers.client(wanted.driver)
        except CsiError as error:
            raise VolumeError(f"kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: {error}") from error
        record = (self.plugin, wanted.name)
        try:
            await publish(wanted, client, wishes, around, record)
            owner = wishes.ownership(around.pod, wanted.kind, once=True, read_only=wanted.read_only)
            if GROUPS in await client.capabilities():
                owner = Ownership.NONE
        except CsiError as error:
            raise VolumeError(str(error)) from error
        around.note(*record, {FS_GROUP: owner.name})

    async def tear_down(self, record: VolumeRecord, ground: Ground, /) -> None:
        """Unpublish it, if the driver may have done anything."""
        volume = _recorded(record) or _found(record, ground.layout)
        if volume is None:
            await super().tear_down(record, ground)
            return
        storage = _storage(ground.storage)
        try:
            # Without a record of ours there is what lies beside the volume: it was being published.
            asked = record.details.get(PUBLISHED, not record.source)
            client = storage.drivers.client(volume.driver) if asked else None
            await unpublish(volume, client, record, ground)
        except CsiError as error:
            raise VolumeError(f"kubernetes.io/csi: Unmounter.TearDownAt failed: {error}") from error
        storage.users.unsettle(record.uid, record.volume)


def _recorded(record: VolumeRecord) -> CsiVolume | None:
    if "csi" not in record.source:
        return None
    pod = Pod({"metadata": {"uid": record.uid, "namespace": record.namespace}})
    return inline(pod, record.volume, CSIVolumeSource(record.source["csi"]))


def _found(record: VolumeRecord, layout: Layout) -> CsiVolume | None:
    """By what lies beside the volume."""
    path = layout.volume(record.uid, record.plugin, record.volume) / FILE
    try:
        facts: Any = json.loads(path.read_text())
        return CsiVolume(facts["driverName"], facts["volumeHandle"], record.volume, ephemeral=True)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _storage(storage: Storage | None) -> Storage:
    if storage is None:
        raise VolumeError("this node offers no volumes of drivers")
    return storage
