"""How full persistent volumes and drivers' volumes are, for their pods. Upstream: pkg/volume/csi/csi_metrics.go.

A driver that measures is asked, with its deadline; of a disk of the node its file system tells. NFS is not touched: a
server that is gone would hold a thread.
"""

import asyncio
from collections.abc import Iterable, Mapping

from pilothouse.api.types.core_v1 import CSIVolumeSource, Pod, Volume
from pilothouse.kubelet import disk_usage
from pilothouse.kubelet.bound_volume import remembered
from pilothouse.kubelet.csi.client import CsiError, Usage
from pilothouse.kubelet.csi.csi_volume import CsiVolume, inline, persistent, staging_path, target_path
from pilothouse.kubelet.csi.publish import PUBLISHED, STAGED
from pilothouse.kubelet.disk_usage import FilesystemUse
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.storage import Storage
from pilothouse.kubelet.volume_record import VolumeRecord, VolumeRecords
from pilothouse.kubelet.volume_users import MOUNTED
from pilothouse.runtime.clock import Instant
from pilothouse.runtime.log import Log

log = Log(__name__)
_KINDS = {"persistentVolumeClaim": "persistent-claim", "ephemeral": "ephemeral", "csi": "csi"}
_MEASURES = "GET_VOLUME_STATS"
_NOTHING = Usage("", 0, 0, 0)


def claim_name(pod: Pod, volume: Volume) -> str:
    """The claim that a volume goes by; empty when it goes by none."""
    if volume.raw.get("ephemeral") is not None:
        return f"{pod.metadata.name}-{volume.name}"
    return volume.persistentVolumeClaim.claimName


class ClaimedUsage:
    """Of one node."""

    def __init__(self, storage: Storage, layout: Layout) -> None:
        self._storage = storage
        self._layout = layout
        self._records = VolumeRecords(layout)

    async def of(self, pod: Pod, now: Instant) -> Mapping[str, FilesystemUse]:
        """Those of a pod's volumes that can be measured, by name."""
        found: dict[str, FilesystemUse] = {}
        for volume in pod.spec.volumes:
            plugin = next((plugin for field, plugin in _KINDS.items() if volume.raw.get(field) is not None), None)
            if plugin is not None:
                use = await self._one(pod, self._records.get(pod.metadata.uid, plugin, volume.name), now)
                if use is not None:
                    found[volume.name] = use
        return found

    async def _one(self, pod: Pod, record: VolumeRecord, now: Instant) -> FilesystemUse | None:
        try:
            if record.kind == "csi" and record.details.get(PUBLISHED):
                return await self._driven(
                    inline(pod, record.volume, CSIVolumeSource(record.source["csi"])), record, now
                )
            bound = remembered(record) if record.details.get(MOUNTED) else None
            if bound is None:
                return None
            if bound.persistent.spec.raw.get("csi") is not None:
                return await self._driven(persistent(bound), record, now)
            if bound.persistent.spec.raw.get("local") is not None and not bound.block:
                path = self._layout.volume(record.uid, "local-volume", bound.name)
                return await asyncio.to_thread(disk_usage.filesystem, path, now)
        except (CsiError, OSError) as error:
            log.warning("Could not measure a volume", volume=record.volume, uid=record.uid, err=str(error))
        return None

    async def _driven(self, volume: CsiVolume, record: VolumeRecord, now: Instant) -> FilesystemUse | None:
        client = self._storage.drivers.client(volume.driver)
        if _MEASURES not in await client.capabilities():
            return None
        staging = staging_path(volume, self._layout) if record.details.get(STAGED) else None
        stats = await client.stats(volume.handle, target_path(volume, record.uid, self._layout), staging)
        return _filesystem(stats.usage, now)


def _filesystem(usage: Iterable[Usage], now: Instant) -> FilesystemUse | None:
    """What a driver says, as file systems say it."""
    by_unit = {one.unit: one for one in usage}
    if not by_unit:
        return None
    size, inodes = by_unit.get("BYTES", _NOTHING), by_unit.get("INODES", _NOTHING)
    return FilesystemUse(
        used=size.used, inodes_used=inodes.used, capacity=size.total, available=size.available, inodes=inodes.total,
        inodes_free=inodes.available, at=now,
    )  # fmt: skip
