"""Removes images that no container uses: when their disk is nearly full, when they are old, or when told to.

Since when an image is here and when it was last used is known only from looking, as runtimes do not tell: what was here
when the kubelet began counts as old. Those that were not used for the longest time go first. Upstream:
pkg/kubelet/images/image_gc_manager.go.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import Cri, CriError, Image
from pilothouse.kubelet.images.credentials import split_image
from pilothouse.kubelet.images.policy import ImagePolicy
from pilothouse.kubelet.images.pull import default_tag
from pilothouse.kubelet.machine import Disk
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.durations import go_duration
from pilothouse.runtime.log import Log

log = Log(__name__)
Tell = Callable[[str, str, str], None]


class ImageGcError(Exception):
    """Not as much could be removed as was to be; `freed` bytes were."""

    def __init__(self, message: str, freed: int = 0) -> None:
        super().__init__(message)
        self.freed = freed


@dataclass(slots=True)
class _Known:
    image: Image
    since: Instant
    used: Instant = -inf
    """When it was last seen in use."""


class ImageGc:
    """One node's. `tell` makes an event about the node."""

    def __init__(self, cri: Cri, clock: Clock, policy: ImagePolicy, disk: Callable[[], Disk], tell: Tell) -> None:
        self._cri = cri
        self._clock = clock
        self._policy = policy
        self._disk = disk
        self._tell = tell
        self._known: dict[str, _Known] = {}
        self._began: Instant | None = None
        self._removed: dict[str, int] = {"age": 0, "space": 0}

    @property
    def removed(self) -> dict[str, int]:
        """How many images have gone so far, by what for."""
        return dict(self._removed)

    async def look(self, pods: Iterable[Pod]) -> None:
        """See what is here and what of it is used: to be done now and then. Raises CriError."""
        await self._look(pods)

    async def _look(self, pods: Iterable[Pod]) -> list[_Known]:
        """The same; what may go, in the order in which it goes."""
        now, images = self._clock.now(), await self._cri.images()
        used = await self._used(images, pods)
        since = -inf if self._began is None else now
        self._began = now if self._began is None else self._began
        known = {image.id: self._known.get(image.id) or _Known(image, since) for image in images}
        for image in images:
            known[image.id].image = image
            if image.id in used:
                known[image.id].used = now
        self._known = known
        kept = {_normal(name) for name in self._policy.kept}
        free = [
            one for one in known.values()
            if one.image.id not in used and not one.image.pinned and kept.isdisjoint(map(split_image, one.image.tags))
        ]  # fmt: skip
        return sorted(free, key=lambda one: (one.used, one.since))

    async def _used(self, images: Sequence[Image], pods: Iterable[Pod]) -> set[str]:
        """Ids of images that containers are made from, or have as volumes."""
        runs = await self._cri.containers()
        named = {name for run in runs for name in (run.image_ref, run.image_id)}
        volumes = {pod.metadata.uid: [one.image.reference for one in pod.spec.volumes if one.image] for pod in pods}
        without = {uid for uid, references in volumes.items() if not references}
        # Of pods that are not known, or not yet, it is not known either whether they have any.
        for box in await self._cri.sandboxes() if runs else ():
            if box.uid not in without:
                named |= await self._mounted([run.id for run in runs if run.sandbox_id == box.id])
        wanted = {_normal(name) for references in volumes.values() for name in references}
        return {
            image.id for image in images
            if not named.isdisjoint((image.id, *image.tags, *image.digests))
            or not wanted.isdisjoint(map(split_image, (*image.tags, *image.digests)))
        }  # fmt: skip

    async def _mounted(self, container_ids: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for container_id in container_ids:
            with suppress(CriError):
                mounts = (await self._cri.container_status(container_id)).mounts
                found |= {name for mount in mounts for name in (mount.image, mount.image_ref) if name}
        return found

    async def collect(self, pods: Iterable[Pod]) -> None:
        """Remove what is too old, and what a disk that is too full needs. Raises CriError, ImageGcError, OSError."""
        free = await self._old(await self._look(pods))
        disk, policy = self._disk(), self._policy
        if disk.size == 0:
            self._tell("Warning", "InvalidDiskCapacity", "invalid capacity 0 on image filesystem")
            raise ImageGcError("invalid capacity 0 on image filesystem")
        available = min(disk.available, disk.size)
        if 100 - available * 100 // disk.size < policy.high_threshold:
            return
        wanted = disk.size * (100 - policy.low_threshold) // 100 - available
        freed = await self._free(free, wanted)
        if freed < wanted:
            message = (
                f"Failed to garbage collect required amount of images. Attempted to free {wanted} bytes, but only "
                f"found {freed} bytes eligible to free."
            )
            self._tell("Warning", "FreeDiskSpaceFailed", message)
            raise ImageGcError(message, freed)

    async def free(self, wanted: float, pods: Iterable[Pod]) -> int:
        """Remove so many bytes of images, `inf` for all that may go; how many were. Raises CriError, ImageGcError."""
        return await self._free(await self._look(pods), wanted)

    async def _old(self, free: list[_Known]) -> list[_Known]:
        """Remove those that were not used for too long, once that can be known; the others."""
        now, oldest = self._clock.now(), self._policy.maximum_age
        if not oldest or self._began is None or now - self._began <= oldest:
            return free
        errors: list[str] = []
        left = [one for one in free if now - one.used <= oldest or not await self._remove(one, "age", errors)]
        if errors:
            raise ImageGcError(
                f"wanted to free images older than {go_duration(oldest)}, encountered errors in image deletion: "
                f"{_together(errors)}"
            )
        return left

    async def _free(self, free: Sequence[_Known], wanted: float) -> int:
        now, freed = self._clock.now(), 0
        errors: list[str] = []
        for one in free:
            if freed >= wanted:
                break
            if now - one.since >= self._policy.minimum_age and await self._remove(one, "space", errors):
                freed += one.image.size
        if errors:
            raise ImageGcError(
                f"wanted to free {wanted:.0f} bytes, but freed {freed} bytes space with errors in image deletion: "
                f"{_together(errors)}", freed,
            )  # fmt: skip
        return freed

    async def _remove(self, one: _Known, why: str, errors: list[str]) -> bool:
        log.info("Removing an image that nobody uses", image=one.image.id, size=one.image.size, why=why)
        try:
            await self._cri.remove_image(one.image.id)
        except CriError as error:
            errors.append(str(error))
            return False
        self._known.pop(one.image.id, None)
        self._removed[why] += 1
        return True


def _normal(name: str) -> tuple[str, str]:
    """An image's name with all that is left out in it."""
    with suppress(ValueError):
        name = default_tag(name)
    return split_image(name)


def _together(errors: Sequence[str]) -> str:
    """As upstream puts several errors into one."""
    several = list(dict.fromkeys(errors))
    return several[0] if len(several) == 1 else f"[{', '.join(several)}]"
