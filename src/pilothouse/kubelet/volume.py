"""The contract of a volume type, and `Volumes`, which has a pod's volumes in place and takes them away.

`set_up` runs before the pod's sandbox is made and again at every sync: what it makes must be the same each time, or
the newer content. API page: "Volumes".
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pilothouse.api.types.core_v1 import Pod, Volume
from pilothouse.kubelet.api import Objects
from pilothouse.kubelet.environment import Facts
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.tokens import Tokens
from pilothouse.runtime.clock import Clock


class VolumeError(Exception):
    """A volume cannot be set up now; the pod waits for it."""


class Mounter(Protocol):
    """What volumes ask of the kernel."""

    def tmpfs(self, path: Path, size: int = 0, mode: int = 0o755) -> None:
        """Mount memory."""
        ...

    def bind(self, source: Path, target: Path) -> None:
        """Show a path at a second place."""
        ...

    def unmount(self, path: Path) -> None:
        """Take a mount away."""
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


class Trust(Protocol):
    """Whom pods may trust, as PEM. Raises VolumeError for what is not there, unless that is optional."""

    async def by_name(self, name: str, *, optional: bool) -> bytes:
        """The certificates of one bundle."""
        ...

    async def by_signer(self, signer: str, labels: Mapping[str, Any] | None, *, optional: bool) -> bytes:
        """The certificates of those of a signer's bundles that have the labels. None selects nothing, {} all."""
        ...


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
    """None where there is no API server to know bundles."""


class VolumeType(ABC):
    """One kind of volume."""

    field: ClassVar[str]
    """The field of `spec.volumes[]` that says it is of this kind."""
    plugin: ClassVar[str]
    """Upstream's name of the plug-in, which is in paths and messages."""

    @abstractmethod
    async def set_up(self, volume: Volume, around: Surroundings, /) -> Path:
        """Have the volume; where it lies on the node. Raises VolumeError."""


class Volumes:
    """The volumes of the node's pods."""

    def __init__(
        self, types: Sequence[type[VolumeType]], layout: Layout, objects: Objects, mounter: Mounter, clock: Clock,
        *, trust: Trust | None = None,
    ) -> None:  # fmt: skip
        self._types = {kind.field: kind() for kind in types}
        self._layout = layout
        self._objects = objects
        self._tokens = Tokens(objects, clock)
        self._mounter = mounter
        self._clock = clock
        self._trust = trust

    async def set_up(self, pod: Pod, facts: Facts) -> Mapping[str, Path]:
        """Have all volumes of a pod; host paths by volume name. Raises VolumeError for the first that fails."""
        around = Surroundings(
            pod, facts, self._layout, self._objects, self._tokens, self._mounter, self._clock, self._trust
        )
        paths: dict[str, Path] = {}
        for volume in pod.spec.volumes:
            kind = next((kind for name, kind in self._types.items() if volume.raw.get(name) is not None), None)
            if kind is None:
                source = next((name for name in volume.raw if name != "name"), "none")
                raise VolumeError(f'MountVolume.SetUp failed for volume "{volume.name}" : '
                                  f"this node does not offer volumes of type {source}")  # fmt: skip
            try:
                paths[volume.name] = await kind.set_up(volume, around)
            except (VolumeError, OSError) as error:
                raise VolumeError(f'MountVolume.SetUp failed for volume "{volume.name}" : {error}') from error
        return paths

    def tear_down_volumes(self, uid: str) -> None:
        """Take away the volumes of a pod that has finished; what its containers said of their end stays."""
        directory = self._layout.pod(uid)
        for point in self._mounter.below(directory):
            self._mounter.unmount(point)
        self._mounter.remove_tree(directory / "volume-subpaths")
        self._mounter.remove_tree(directory / "volumes")

    def tear_down(self, uid: str) -> None:
        """Take away all that was made for a pod."""
        self._tokens.forget(uid)
        self.tear_down_volumes(uid)
        self._mounter.remove_tree(self._layout.pod(uid))
