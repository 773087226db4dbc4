"""`Volumes`: has the volumes of a pod in place, all at once, and takes them away.

One that fails does not keep the others: what it says and what the others say is told together. Before a volume is set
up the first time a record of it is written, by which it is found and taken away later, also by the next kubelet.
Upstream: pkg/kubelet/volumemanager.
"""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from pathlib import Path

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.types.core_v1 import Pod, Volume
from pilothouse.kubelet.api import Objects, Recorder
from pilothouse.kubelet.containers import every
from pilothouse.kubelet.credentials import Certificates
from pilothouse.kubelet.environment import Facts
from pilothouse.kubelet.fs_ownership import FsOwnership, is_given
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.slow_paths import SlowPaths
from pilothouse.kubelet.storage import Storage
from pilothouse.kubelet.tokens import Tokens
from pilothouse.kubelet.volume import (
    Ground,
    HostVolume,
    HostVolumes,
    ImageMounts,
    Mounter,
    Ownership,
    Surroundings,
    Trust,
    VolumeError,
    VolumeFailure,
    VolumeType,
    VolumeUnknown,
)
from pilothouse.kubelet.volume_record import VolumeRecord, VolumeRecords
from pilothouse.runtime.clock import Clock

PATIENCE = 123.0
"""Seconds in which a pod's volumes are to be there, or gone; then the pod's turn is over, and it begins anew."""
LATE = "context deadline exceeded"
_FILES = ("configMap", "secret", "downwardAPI", "projected")
"""Kinds of which the kubelet alone writes what is in them."""


class _Any(VolumeType):
    """A volume of a kind that this kubelet does not know, or no longer: only to be taken away."""

    async def set_up(self, volume: Volume, _around: Surroundings, /) -> Path:
        source = next((name for name in volume.raw if name != "name"), "none")
        raise VolumeError(f"this node does not offer volumes of type {source}")


class Volumes:
    """The volumes of the node's pods."""

    def __init__(
        self, types: Sequence[type[VolumeType]], layout: Layout, objects: Objects, mounter: Mounter, clock: Clock, *,
        trust: Trust | None = None, certificates: Certificates | None = None, recorder: Recorder | None = None,
        boot_id: str = "", storage: Storage | None = None, image_mounts: ImageMounts | None = None,
    ) -> None:  # fmt: skip
        self._types: Mapping[str, VolumeType] = {kind.field: kind() for kind in types}
        self._layout = layout
        self._objects = objects
        self._tokens = Tokens(objects, clock)
        self._mounter = mounter
        self._clock = clock
        self._trust = trust
        self._certificates = certificates
        self._boot_id = boot_id
        self._ownership = FsOwnership(clock, recorder)
        self._records = VolumeRecords(layout)
        self.paths = SlowPaths()
        """For looks at what may not answer."""
        self._storage = storage
        self._ground = Ground(layout, objects, mounter, clock, storage, image_mounts)

    async def set_up(self, pod: Pod, facts: Facts) -> HostVolumes:
        """Have all volumes of a pod. Raises VolumeError with the complaints of all that fail."""
        around = Surroundings(
            pod, facts, self._layout, self._objects, self._tokens, self._mounter, self._clock, self._trust,
            self._certificates, self._storage, self.paths,
        )  # fmt: skip
        wanted = [volume for volume in pod.spec.volumes if not self._is_idle(volume, pod)]
        made: dict[str, HostVolume] = {}
        failed: dict[str, str] = {}
        unknown: dict[str, str] = {}

        async def one(volume: Volume) -> None:
            try:
                made[volume.name] = await self._set_up(volume, around)
            except VolumeUnknown as error:
                unknown[volume.name] = str(error)
            except VolumeFailure as error:
                failed[volume.name] = str(error)
            except (VolumeError, OSError, StatusError) as error:
                failed[volume.name] = f'MountVolume.SetUp failed for volume "{volume.name}" : {error}'

        try:
            async with self._clock.timeout(PATIENCE), asyncio.TaskGroup() as group:
                for volume in wanted:
                    group.create_task(one(volume), name=f"volume {volume.name}")
        except asyncio.CancelledError:
            self._ownership.stop(pod.metadata.uid)
            raise
        except TimeoutError:
            unknown.setdefault("", LATE)
        if unknown:
            failed[""] = self._missing(pod, {volume.name for volume in wanted} - made.keys(), unknown)
        if failed:
            names = [*(volume.name for volume in wanted), ""]
            raise VolumeError("; ".join(failed[name] for name in names if name in failed))
        return {volume.name: made[volume.name] for volume in wanted}

    def _missing(self, pod: Pod, unmounted: AbstractSet[str], unknown: Mapping[str, str]) -> str:
        """What is said of volumes that are not there, and of why: by name, or of all when there is none."""
        unattached = self._storage.users.unattached(pod.metadata.uid) if self._storage is not None else ()
        return (
            f"Unable to attach or mount volumes: unmounted volumes=[{' '.join(sorted(unmounted))}], "
            f"unattached volumes=[{' '.join(unattached)}], "
            f"failed to process volumes=[{' '.join(sorted(filter(None, unknown)))}]: {'; '.join(unknown.values())}"
        )

    def _is_idle(self, volume: Volume, pod: Pod) -> bool:
        """Whether nobody is to have it, and its kind takes that for a reason not to have it here."""
        field = self._field(volume)
        if not field or not self._types[field].only_used:
            return False
        mentioned = (mention for one in every(pod) for mention in (*one.volumeMounts, *one.volumeDevices))
        return all(mention.name != volume.name for mention in mentioned)

    def _field(self, volume: Volume) -> str:
        return next((name for name in self._types if volume.raw.get(name) is not None), "")

    async def _set_up(self, volume: Volume, around: Surroundings) -> HostVolume:
        field = self._field(volume)
        kind = self._types[field] if field else _Any()
        meta = around.pod.metadata
        if field and not self._records.known(meta.uid, kind.plugin, volume.name):
            self._records.write(
                VolumeRecord(meta.uid, kind.plugin, volume.name, field, meta.namespace, meta.name, volume.literal())
            )
        found = await kind.set_up(volume, around)
        if isinstance(found, HostVolume):
            await self._give(found, kind, volume, around.pod)
            return found
        return HostVolume(found, read_only=field in _FILES)

    async def _give(self, host: HostVolume, kind: VolumeType, volume: Volume, pod: Pod) -> None:
        """Give it to the pod's group where its type asks for that; once, as containers may have other plans then."""
        group = pod.spec.securityContext.fsGroup
        if host.fs_group is Ownership.NONE or host.device or group is None:
            return
        record = self._records.get(pod.metadata.uid, kind.plugin, volume.name)
        if record.owned == self._boot_id:
            return
        lenient = host.fs_group is Ownership.ON_ROOT_MISMATCH
        given = partial(_is_given, host, group)
        if not lenient or not await self.paths.look(("given", host.path), given):
            await self._ownership.give(pod, host.path, group, read_only=host.read_only)
        self._records.write(replace(record, owned=self._boot_id))

    async def tear_down_volumes(self, uid: str) -> None:
        """Take away the volumes of a pod that has finished; what its containers said of their end stays.

        Raises VolumeError with the complaints of all that stay, when the others are gone.
        """
        await self._ownership.stopped(uid)
        await self._nothing_mounts(uid)
        directory = self._layout.pod(uid)
        # Sub-paths are further mounts of the volumes: while there is one, no volume can go.
        await asyncio.to_thread(self._remove_sub_paths, directory / "volume-subpaths")
        records = await asyncio.to_thread(self._records.of_pod, uid)
        complaints: dict[int, str] = {}

        async def one(place: int, record: VolumeRecord) -> None:
            try:
                async with self._clock.timeout(PATIENCE):
                    await self._kind(record).tear_down(record, self._ground)
                self._records.remove(record)
            except (VolumeError, OSError, StatusError) as error:
                # Of our own deadline nothing is said.
                why = str(error) or LATE
                complaints[place] = f'UnmountVolume.TearDown failed for volume "{record.volume}" : {why}'

        async with asyncio.TaskGroup() as group:
            for place, record in enumerate(records):
                group.create_task(one(place, record), name=f"volume {record.volume}")
        if complaints:
            raise VolumeError("; ".join(complaints[place] for place in sorted(complaints)))
        for name in ("volumes", "plugins"):
            await asyncio.to_thread(self._mounter.remove_tree, directory / name)

    async def _nothing_mounts(self, uid: str) -> None:
        """What is removed while something is mounted in it could be the volume's data. Raises VolumeError."""
        try:
            async with self._clock.timeout(PATIENCE):
                await self.paths.none_mounts_for(uid)
        except TimeoutError:
            raise VolumeError(f"a volume of pod {uid} is still being mounted: {LATE}") from None

    def _kind(self, record: VolumeRecord) -> VolumeType:
        by_plugin = (kind for kind in self._types.values() if kind.plugin == record.plugin)
        return self._types.get(record.kind) or next(by_plugin, _Any())

    def _remove_sub_paths(self, directory: Path) -> None:
        for point in self._mounter.below(directory):
            self._mounter.unmount(point)
        self._mounter.remove_tree(directory)

    async def tear_down(self, uid: str) -> None:
        """Take away all that was made for a pod. Raises VolumeError."""
        self._tokens.forget(uid)
        if self._certificates is not None:
            self._certificates.forget(uid)
        await self.tear_down_volumes(uid)
        await asyncio.to_thread(self._mounter.remove_tree, self._layout.pod(uid))


def _is_given(host: HostVolume, group: int) -> bool:
    return is_given(host.path.stat(), group, read_only=host.read_only)
