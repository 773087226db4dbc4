"""The contract of a volume type: what has one kind of volume on the node, and takes it away again.

`set_up` runs before the pod's sandbox is made and again at every sync: what it makes must be the same each time, or
the newer content. `tear_down` gets the record that was written before the first `set_up` and nothing else of the pod:
the pod may be gone, and the kubelet may be another than the one that set it up. API page: "Volumes".
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod, Volume
from pilothouse.kubelet.api import Objects
from pilothouse.kubelet.credentials import Certificates
from pilothouse.kubelet.environment import Facts
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.slow_paths import SlowPaths
from pilothouse.kubelet.storage import Storage
from pilothouse.kubelet.tokens import Tokens
from pilothouse.kubelet.volume_record import VolumeRecord, VolumeRecords
from pilothouse.runtime.clock import Clock


class VolumeError(Exception):
    """A volume cannot be set up or taken away now; the pod waits for it."""


class VolumeUnknown(VolumeError):
    """What a volume is cannot be said yet: its claim, say, is not bound."""


class VolumeFailure(VolumeError):
    """As VolumeError; its message is whole, and says itself what failed for which volume."""


class Mounter(Protocol):
    """What volumes ask of the kernel."""

    def tmpfs(self, path: Path, size: int = 0, mode: int = 0o755) -> None:
        """Mount memory."""
        ...

    def bind(self, source: Path, target: Path) -> None:
        """Show a path at a second place."""
        ...

    def unmount(self, path: Path, *, lazily: bool = True) -> None:
        """Take a mount away: lazily even while something uses it, else only when nothing does."""
        ...

    def below(self, path: Path) -> list[Path]:
        """Mount points at or below a path, the last mounted first."""
        ...

    def is_mounted(self, path: Path) -> bool:
        """Whether something is mounted exactly there."""
        ...

    def remove_tree(self, path: Path) -> None:
        """Delete a directory, never through a mount or a link."""
        ...

    def open_within(self, root: Path, relative: str) -> int:
        """A descriptor of a path below `root` that links cannot lead out of."""
        ...


class ImageMounts(Protocol):
    """Images as directories of the node, for runtimes that cannot mount them. Methods may raise VolumeError."""

    async def content(self, image: str) -> str:
        """What stands for all that an image holds, `sha256:...`."""
        ...

    async def show(self, content: str, key: str, target: Path) -> None:
        """Mount it, read-only, and keep it for as long as it is there."""
        ...

    async def hide(self, key: str) -> None:
        """It is no longer mounted: keep it no longer. Again and again without harm."""
        ...


def image_key(uid: str, volume: str, content: str) -> str:
    """What a volume's view of an image is called."""
    return f"image-volume-{uid}-{volume}-{content}"


class Trust(Protocol):
    """Root certificates of the cluster's trust bundles, as PEM. Methods may raise VolumeError."""

    async def by_name(self, name: str, *, optional: bool) -> bytes:
        """Of one bundle."""
        ...

    async def by_signer(self, signer: str, labels: Mapping[str, Any] | None, *, optional: bool) -> bytes:
        """Of a signer's bundles with these labels."""
        ...


class Ownership(Enum):
    """Whether the kubelet gives what is in a volume to the pod's fsGroup, once, when it has been set up."""

    NONE = auto()
    """The type sees to it, or nobody does."""
    WALK = auto()
    """Everything in it."""
    ON_ROOT_MISMATCH = auto()
    """Everything in it, unless its root says that this was done."""

    @classmethod
    def of(cls, pod: Pod) -> "Ownership":
        """As the pod's `fsGroupChangePolicy` says."""
        lenient = pod.spec.securityContext.fsGroupChangePolicy == "OnRootMismatch"
        return cls.ON_ROOT_MISMATCH if lenient else cls.WALK


@dataclass(frozen=True, slots=True)
class HostVolume:
    """A volume as it lies on the node."""

    path: Path
    device: bool = False
    """It is a block device, no file system: for `volumeDevices` alone."""
    read_only: bool = False
    """No container writes it, whatever its mount says."""
    fs_group: Ownership = Ownership.NONE
    group: int | None = None
    """A group that the pod's processes are in for its sake."""
    sealed: bool = False
    """It is mounted here as containers are to have it, read-only and with nothing to run. A runtime that is asked for
    a read-only mount sets that alone, so it is not asked."""
    image: JsonObject | None = None
    """The runtime mounts this image, an ImageSpec of CRI; what lies at the path is nothing."""


HostVolumes = Mapping[str, HostVolume]
"""A pod's, by volume name."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a volume is made from."""

    pod: Pod
    facts: Facts
    layout: Layout
    objects: Objects
    tokens: Tokens
    mounter: Mounter
    clock: Clock
    trust: Trust | None = None
    certificates: Certificates | None = None
    storage: Storage | None = None
    paths: SlowPaths = field(default_factory=SlowPaths)
    """For looks at what may not answer."""

    def note(self, plugin: str, name: str, details: JsonObject) -> VolumeRecord:
        """Have the volume's record say what tearing it down will need. To be called before that is made."""
        records = VolumeRecords(self.layout)
        known = records.get(self.pod.metadata.uid, plugin, name)
        noted = replace(known, details={**known.details, **details})
        if noted != known:
            records.write(noted)
        return noted


@dataclass(frozen=True, slots=True)
class Ground:
    """What a volume is taken away with."""

    layout: Layout
    objects: Objects
    mounter: Mounter
    clock: Clock
    storage: Storage | None = None
    image_mounts: ImageMounts | None = None


class VolumeType(ABC):
    """One kind of volume."""

    field: ClassVar[str]
    """The field of `spec.volumes[]` that says it is of this kind."""
    plugin: ClassVar[str]
    """Upstream's name of the plug-in, which is in paths and messages."""

    only_used: ClassVar[bool] = False
    """Whether a volume that no container of the pod mentions is left alone."""

    @abstractmethod
    async def set_up(self, volume: Volume, around: Surroundings, /) -> HostVolume | Path:
        """Have the volume; where it lies on the node, a bare path for an ordinary one. Raises VolumeError."""

    async def tear_down(self, record: VolumeRecord, ground: Ground, /) -> None:
        """Have it no longer; again and again without harm. Raises VolumeError, OSError."""
        directory = ground.layout.volume(record.uid, record.plugin, record.volume)
        await asyncio.to_thread(take_away, directory, ground.mounter)


def take_away(directory: Path, mounter: Mounter) -> None:
    """Unmount what lies in a directory of the kubelet's own, and remove it."""
    for point in mounter.below(directory):
        mounter.unmount(point)
    mounter.remove_tree(directory)


def leave_mount_point(directory: Path, mounter: Mounter) -> None:
    """Unmount what lies in a directory where something was mounted and nothing else ever is, and remove it."""
    for point in mounter.below(directory):
        mounter.unmount(point)
    remove_mount_point(directory)


def remove_mount_point(directory: Path) -> None:
    """Remove it. Only an empty one: what is in it after all belongs to others, and perhaps is mounted there again."""
    with suppress(FileNotFoundError):
        directory.rmdir()
