"""Volumes that a claim leads to: found by the claim, then set up by whoever knows their kind.

Who uses a volume is noted before anything else, so that it stays attached, and that the last to let it go is known. A
pod that has its volume keeps it when the claim cannot be read any more, or is being deleted.
"""

from abc import abstractmethod
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.node_selectors import selects
from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.bound_volume import BoundVolume, find_bound, remembered
from pilothouse.kubelet.persistent_source import PersistentSource, failure
from pilothouse.kubelet.plugins.unix_client import PluginError
from pilothouse.kubelet.storage import Storage
from pilothouse.kubelet.volume import (
    Ground,
    HostVolume,
    Surroundings,
    VolumeError,
    VolumeFailure,
    VolumeType,
    VolumeUnknown,
)
from pilothouse.kubelet.volume_groups import group_of
from pilothouse.kubelet.volume_record import AT, VolumeRecord, VolumeRecords
from pilothouse.kubelet.volume_users import ATTACHABLE, KEY, MOUNTED
from pilothouse.runtime.units import subclasses

_ALONE = "volume uses the ReadWriteOncePod access mode and is already in use by another pod"


class ClaimedVolume(VolumeType):
    """A volume by way of a claim."""

    only_used: ClassVar[bool] = True

    @abstractmethod
    def claim(self, volume: Volume, pod: str) -> tuple[str, bool]:
        """The claim's name, and whether the pod only reads."""

    @property
    def owned(self) -> bool:
        """Whether the claim must be the pod's own."""
        return False

    @cached_property
    def _sources(self) -> dict[str, PersistentSource]:
        kinds = subclasses(PersistentSource, f"{__package__}.persistent_sources")  # type: ignore[type-abstract]
        return {kind.field: kind() for kind in kinds}

    async def set_up(self, volume: Volume, around: Surroundings, /) -> HostVolume:
        """Find it, wait until it may be mounted, and mount it. Raises VolumeError."""
        storage = _storage(around.storage)
        bound = await self._find(volume, around, storage)
        source = self._source(bound)
        key = source.key(bound)
        try:
            attachable = await source.attachable(bound, storage)
            record = around.note(
                self.plugin, volume.name,
                {**bound.details(), KEY: key, ATTACHABLE: attachable, AT: [source.plugin, bound.name]},
            )  # fmt: skip
            storage.users.note(record)
            if bound.persistent.spec.mountOptions and not source.takes_options:
                why = "Mount options are not supported for this volume type"
                raise failure("MountVolume.MountOptionSupport check", bound, why)
            await source.ready(bound, around)
            await _check_node(bound, storage)
            async with storage.users.lock(key):
                if _alone(bound) and storage.users.mounted_elsewhere(key, record.uid):
                    raise VolumeError(_ALONE)
                found = await source.set_up(bound, around)
                storage.users.note(around.note(self.plugin, volume.name, {MOUNTED: True}))
        except VolumeFailure:
            raise
        except (VolumeError, PluginError, OSError, StatusError) as error:
            step = "MapVolume.SetUp" if bound.block else "MountVolume.SetUp"
            raise failure(step, bound, error) from error
        read_only, group = found.read_only or bound.read_only, group_of(bound.persistent)
        return replace(found, device=bound.block, read_only=read_only, group=group)

    async def _find(self, volume: Volume, around: Surroundings, storage: Storage) -> BoundVolume:
        name, read_only = self.claim(volume, around.pod.metadata.name)
        try:
            return await find_bound(
                around.pod, volume, self.plugin, name, storage.objects, owned=self.owned, read_only=read_only
            )
        except VolumeUnknown:
            record = VolumeRecords(around.layout).get(around.pod.metadata.uid, self.plugin, volume.name)
            known = remembered(record) if record.details.get(MOUNTED) else None
            if known is None:
                raise
            return known

    def _source(self, bound: BoundVolume) -> PersistentSource:
        spec: Any = bound.persistent.spec.raw
        source = next((one for name, one in self._sources.items() if spec.get(name) is not None), None)
        if source is None:
            raise VolumeUnknown("failed to get Plugin from volumeSpec for volume "
                                f'"{bound.name}" err=no volume plugin matched')  # fmt: skip
        return source

    async def tear_down(self, record: VolumeRecord, ground: Ground, /) -> None:
        """Take it away from the pod; from the node too, when no other pod here has it."""
        bound = remembered(record)
        if bound is None:
            # Its claim was never found: there is nothing of it but the record.
            return
        storage = _storage(ground.storage)
        source, key = self._source(bound), record.details[KEY]
        async with storage.users.lock(key):
            last = not storage.users.others(key, record.uid, record.volume)
            await source.tear_down(record, ground, last=last)
            storage.users.forget(record)


def _storage(storage: Storage | None) -> Storage:
    if storage is None:
        raise VolumeError("this node offers no persistent volumes")
    return storage


def _alone(bound: BoundVolume) -> bool:
    return tuple(bound.persistent.spec.accessModes) == ("ReadWriteOncePod",)


async def _check_node(bound: BoundVolume, storage: Storage) -> None:
    """Raises VolumeError for a volume of other nodes. One that is only remembered was here before."""
    required = bound.persistent.spec.nodeAffinity.required
    if bound.claim is None or not required:
        return
    node = (await storage.objects.node()).metadata
    if not selects(required.raw, node.name, node.labels):
        step = "MapVolume" if bound.block else "MountVolume"
        raise failure(f"{step}.NodeAffinity check", bound, "no matching NodeSelectorTerms")
