"""Shows a volume to a pod by its driver, and takes it away again. For persistent volumes and for pods' own.

That a driver may have done something is noted before it is asked: a call that is given up, or a kubelet that dies
meanwhile, leaves a volume that has to be taken away. A driver that says no for good has done nothing, and undone
nothing of what it did before.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.csi.client import CsiClient, CsiError
from pilothouse.kubelet.csi.credentials import publish_facts
from pilothouse.kubelet.csi.csi_volume import CsiVolume, attachment_name, target_path
from pilothouse.kubelet.csi.wishes import Wishes
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.volume import Ground, Mounter, Surroundings, VolumeError
from pilothouse.kubelet.volume_record import FILE, VolumeRecord, VolumeRecords

STAGED, PUBLISHED, FS_GROUP = "staged", "published", "fsGroup"
"""Details of a record: what the driver has done, or may have; and whether the node gives it to the pod's group."""


async def publish(
    volume: CsiVolume, client: CsiClient, wishes: Wishes, around: Surroundings, record: tuple[str, str], *,
    staging: Path | None = None, context: Mapping[str, str] | None = None,
) -> Path:  # fmt: skip
    """Have a volume below its pod; where. `record` is plug-in and name that it is noted under.

    Raises CsiError, VolumeError, StatusError, OSError.
    """
    attributes, secrets = await publish_facts(volume, wishes, around)
    target = target_path(volume, around.pod.metadata.uid, around.layout)
    assert around.storage is not None
    await asyncio.to_thread(_prepare, volume, target, around.storage.node_name)
    before = noted(around, *record, PUBLISHED)
    around.note(*record, {PUBLISHED: True})
    try:
        await client.publish(
            volume_id=volume.handle, publish_context=dict(context or {}),
            staging_target_path=str(staging) if staging is not None else "", target_path=str(target),
            volume_capability=volume.use(await client.capabilities(), around.pod.spec.securityContext.fsGroup),
            readonly=volume.read_only, secrets=secrets, volume_context=attributes,
        )  # fmt: skip
    except CsiError as error:
        if error.final and not before:
            # What stands in the way says less than the driver does, and stays noted.
            with suppress(VolumeError, OSError):
                await asyncio.to_thread(remove_target, target, around.mounter)
                around.note(*record, {PUBLISHED: False})
        raise
    return target


def _prepare(volume: CsiVolume, target: Path, node: str) -> None:
    """A directory for the driver to make the volume in, and beside it what other tools look for."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    if volume.block:
        return
    facts = {
        "attachmentID": attachment_name(volume, node), "driverName": volume.driver, "nodeName": node,
        "specVolID": volume.name, "volumeHandle": volume.handle, "volumeLifecycleMode": volume.lifecycle,
    }  # fmt: skip
    write_facts(target.parent, facts)


def write_facts(directory: Path, facts: JsonObject) -> None:
    """Upstream's `vol_data.json`, which some drivers read."""
    path = directory / FILE
    text = json.dumps(facts, sort_keys=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


async def unpublish(volume: CsiVolume, client: CsiClient | None, record: VolumeRecord, ground: Ground) -> VolumeRecord:
    """Have it no longer; the record as it is then. Without a client there is nothing but what the node made itself.

    Raises CsiError, VolumeError, OSError.
    """
    target = target_path(volume, record.uid, ground.layout)
    if client is not None:
        await client.unpublish(volume.handle, target)
    await asyncio.to_thread(remove_target, target, ground.mounter)
    return note(record, {PUBLISHED: False}, ground.layout)


def remove_target(target: Path, mounter: Mounter) -> None:
    """Remove what is left of a volume that is not mounted any more. Raises VolumeError while it is."""
    if mounter.is_mounted(target):
        raise VolumeError(f"{target} is still mounted")
    if target.is_dir():
        target.rmdir()
    else:
        target.unlink(missing_ok=True)
    (target.parent / FILE).unlink(missing_ok=True)
    if target.parent.is_dir() and not any(target.parent.iterdir()):
        target.parent.rmdir()


def note(record: VolumeRecord, details: JsonObject, layout: Layout) -> VolumeRecord:
    """Have the record say something else."""
    changed = replace(record, details={**record.details, **details})
    if changed != record:
        VolumeRecords(layout).write(changed)
    return changed


def noted(around: Surroundings, plugin: str, volume: str, detail: str) -> bool:
    """Whether the record of a pod's volume says so."""
    record = VolumeRecords(around.layout).get(around.pod.metadata.uid, plugin, volume)
    return bool(record.details.get(detail))
