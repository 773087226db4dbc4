"""Persistent volumes of CSI drivers. Upstream: pkg/volume/csi/{csi_attacher,csi_mounter,csi_block}.go.

A volume is made ready on the node once (staged), then shown to each pod (published); it goes the same way back, and
leaves the node with the last pod. All calls may come again after a restart: drivers have to bear that.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ClassVar

from pilothouse.kubelet.bound_volume import BoundVolume, remembered
from pilothouse.kubelet.csi.attach import publish_context, wait_attached
from pilothouse.kubelet.csi.client import CsiClient, CsiError
from pilothouse.kubelet.csi.credentials import secret_values
from pilothouse.kubelet.csi.csi_volume import GROUPS, STAGES, CsiVolume, persistent, staging_path, target_path
from pilothouse.kubelet.csi.expand import expand
from pilothouse.kubelet.csi.publish import (
    FS_GROUP,
    PUBLISHED,
    STAGED,
    note,
    noted,
    publish,
    remove_target,
    unpublish,
    write_facts,
)
from pilothouse.kubelet.csi.wishes import Wishes
from pilothouse.kubelet.persistent_source import PersistentSource, failure
from pilothouse.kubelet.storage import Storage
from pilothouse.kubelet.volume import Ground, HostVolume, Ownership, Surroundings, VolumeError
from pilothouse.kubelet.volume_record import VolumeRecord, VolumeRecords

_NODE = ""
"""Stands for the node where users are pods."""


class CsiSource(PersistentSource):
    """A driver's volume."""

    field: ClassVar[str] = "csi"
    plugin: ClassVar[str] = "csi"

    def key(self, bound: BoundVolume) -> str:
        """Driver and handle."""
        return persistent(bound).key

    async def attachable(self, bound: BoundVolume, storage: Storage, /) -> bool:
        """As the driver says."""
        return (await _wishes(persistent(bound), storage)).attach

    async def ready(self, bound: BoundVolume, around: Surroundings, /) -> None:
        """Wait until it is attached; one that was mounted before is."""
        storage, volume = _storage(around), persistent(bound)
        if storage.users.settled(around.pod.metadata.uid, bound.volume):
            return
        wishes = await _wishes(volume, storage)
        if complaint := wishes.mode_complaint(volume.lifecycle, volume.driver):
            raise failure(f"{_kind(bound)}.New{_maker(bound)} initialization", bound, complaint)
        if wishes.attach:
            user = (around.pod.metadata.uid, bound.volume)
            storage.users.await_attached(*user)
            try:
                await wait_attached(volume, storage, around.clock)
            except VolumeError as error:
                raise failure(f"{_kind(bound)}.WaitForAttach", bound, error) from error
            storage.users.attached(*user)

    async def set_up(self, bound: BoundVolume, around: Surroundings, /) -> HostVolume:
        """Stage it, publish it; what was published by this kubelet only where the driver wants that."""
        storage, volume, uid = _storage(around), persistent(bound), around.pod.metadata.uid
        target, wishes = target_path(volume, uid, around.layout), await _wishes(volume, storage)
        if wishes.republish or not storage.users.settled(uid, bound.volume):
            context = await publish_context(volume, storage) if wishes.attach else {}
            client = _client(bound, volume, storage)
            try:
                staging = await _stage(bound, volume, client, around, context)
            except CsiError as error:
                step = "MapVolume.SetUpDevice" if bound.block else "MountVolume.MountDevice"
                raise failure(step, bound, error) from error
            try:
                await _publish(bound, volume, client, wishes, around, staging, context)
            except CsiError as error:
                step = "MapVolume.MapPodDevice" if bound.block else "MountVolume.SetUp"
                raise failure(step, bound, error) from error
            storage.users.settle(uid, bound.volume)
        if bound.claim is not None and not volume.read_only:
            await expand(
                bound.claim, bound.persistent, volume, partial(storage.drivers.client, volume.driver), around, target
            )
        record = VolumeRecords(around.layout).get(uid, bound.kept_by, bound.volume)
        owner = Ownership[record.details.get(FS_GROUP, Ownership.NONE.name)]
        return HostVolume(target, read_only=volume.read_only, fs_group=owner)

    async def tear_down(self, record: VolumeRecord, ground: Ground, /, *, last: bool) -> None:
        """Unpublish it, and unstage it after the last pod; the driver is asked only for what it may have done."""
        bound, storage = remembered(record), ground.storage
        assert bound is not None
        assert storage is not None
        volume = persistent(bound)
        # The node has it staged, whichever pod that was done for: this one may not have come so far.
        staged = last and (record.details.get(STAGED) or await asyncio.to_thread(_is_staged, volume, ground))
        published = record.details.get(PUBLISHED)
        try:
            client = storage.drivers.client(volume.driver) if published or staged else None
            record = await unpublish(volume, client if published else None, record, ground)
        except CsiError as error:
            raise VolumeError(f"kubernetes.io/csi: Unmounter.TearDownAt failed: {error}") from error
        if last:
            storage.users.unsettle(_NODE, volume.key)
            await _unstage(volume, client if staged else None, record, ground)


async def _stage(
    bound: BoundVolume, volume: CsiVolume, client: CsiClient, around: Surroundings, context: Mapping[str, str]
) -> Path | None:
    """Have it ready on the node; where, or None when the driver knows no such step."""
    can, users = await client.capabilities(), _storage(around).users
    if STAGES not in can:
        return None
    staging, record = staging_path(volume, around.layout), (bound.kept_by, bound.volume)
    before = noted(around, *record, STAGED)
    around.note(*record, {STAGED: True})
    if users.settled(_NODE, volume.key):
        return staging
    secrets = await secret_values(volume.stage_secret, around.objects, "NodeStageSecretRef")
    await asyncio.to_thread(_prepare, volume, staging)
    try:
        await client.stage(
            volume_id=volume.handle, publish_context=dict(context), staging_target_path=str(staging),
            volume_capability=volume.use(can, around.pod.spec.securityContext.fsGroup), secrets=secrets,
            volume_context=dict(volume.attributes),
        )  # fmt: skip
    except CsiError as error:
        if error.final and not before and not users.others(volume.key, around.pod.metadata.uid, bound.volume):
            with suppress(VolumeError, OSError):
                await asyncio.to_thread(remove_target, staging, around.mounter)
                around.note(*record, {STAGED: False})
        raise
    users.settle(_NODE, volume.key)
    return staging


def _prepare(volume: CsiVolume, staging: Path) -> None:
    staging.mkdir(parents=True, exist_ok=True, mode=0o750)
    if not volume.block:
        write_facts(staging.parent, {"driverName": volume.driver, "volumeHandle": volume.handle})


async def _publish(
    bound: BoundVolume, volume: CsiVolume, client: CsiClient, wishes: Wishes, around: Surroundings,
    staging: Path | None, context: Mapping[str, str],
) -> None:  # fmt: skip
    record = (bound.kept_by, bound.volume)
    await publish(volume, client, wishes, around, record, staging=staging, context=context)
    owner = wishes.ownership(around.pod, volume.kind, once=volume.once, read_only=volume.read_only)
    if GROUPS in await client.capabilities() or bound.block:
        owner = Ownership.NONE
    around.note(*record, {FS_GROUP: owner.name})


def _is_staged(volume: CsiVolume, ground: Ground) -> bool:
    """Whether it is, or was begun to be. What is mounted may be broken, and is not looked at."""
    staging = staging_path(volume, ground.layout)
    return ground.mounter.is_mounted(staging) or staging.exists()


async def _unstage(volume: CsiVolume, client: CsiClient | None, record: VolumeRecord, ground: Ground) -> None:
    staging = staging_path(volume, ground.layout)
    if client is not None:
        try:
            await client.unstage(volume.handle, staging)
        except CsiError as error:
            raise VolumeError(f"kubernetes.io/csi: attacher.UnmountDevice failed: {error}") from error
    await asyncio.to_thread(remove_target, staging, ground.mounter)
    note(record, {STAGED: False}, ground.layout)


def _client(bound: BoundVolume, volume: CsiVolume, storage: Storage) -> CsiClient:
    try:
        return storage.drivers.client(volume.driver)
    except CsiError as error:
        if bound.block:
            why = f"kubernetes.io/csi: blockMapper.SetUpDevice failed to get CSI client: {error}"
            raise failure("MapVolume.SetUpDevice", bound, why) from error
        why = f"kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: {error}"
        raise failure("MountVolume.MountDevice", bound, why) from error


def _kind(bound: BoundVolume) -> str:
    return "MapVolume" if bound.block else "MountVolume"


def _maker(bound: BoundVolume) -> str:
    return "BlockVolumeMapper" if bound.block else "Mounter"


def _storage(around: Surroundings) -> Storage:
    assert around.storage is not None
    return around.storage


async def _wishes(volume: CsiVolume, storage: Storage) -> Wishes:
    return Wishes.of(await storage.objects.driver(volume.driver))
