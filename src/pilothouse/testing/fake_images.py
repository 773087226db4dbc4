"""The images of a fake runtime: names that are here, that can be had, and that cannot."""

# ruff: noqa: ARG002 - a fake takes what the Protocol gives it
from dataclasses import dataclass, field

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import CriError, CriNotFound, Image
from pilothouse.kubelet.cri.usage import FilesystemShare, ImageFilesystems
from pilothouse.runtime.clock import Clock


@dataclass(slots=True)
class FakeImages:
    """The image half of `Cri`. Those of `present` are here, those of `absent` cannot be pulled, all others can."""

    clock: Clock
    pull_seconds: float = 0.0
    present: dict[str, Image] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    passwords: dict[str, str] = field(default_factory=dict)
    """Of images that are not for everybody, by name."""
    calls: list[str] = field(default_factory=list)
    """Names of the runtime's calls that change something, in order."""

    async def images(self) -> list[Image]:
        """Those present."""
        return list(self.present.values())

    async def image_status(self, image: str) -> Image | None:
        """By name or id."""
        found = self.present.get(image)
        return found or next((one for one in self.present.values() if one.id == image), None)

    async def pull_image(self, image: str, auth: JsonObject | None, sandbox_config: JsonObject) -> str:
        """Have it, unless it is among the absent."""
        self.calls.append(f"pull_image {image}")
        if self.pull_seconds:
            await self.clock.sleep(self.pull_seconds)
        if self.passwords.get(image, "") not in ("", (auth or {}).get("password")):
            raise CriError("UNKNOWN", f'failed to pull and unpack image "{image}": 401 Unauthorized')
        if image in self.absent:
            raise CriNotFound("NOT_FOUND", f'failed to pull and unpack image "{image}": {image}: not found')
        self.present[image] = Image(f"sha256:{image}", (image,), (), 1000)
        return f"sha256:{image}"

    async def remove_image(self, image: str) -> None:
        """Have it no more."""
        self.calls.append(f"remove_image {image}")
        for name in [name for name, one in self.present.items() if image in (name, one.id)]:
            del self.present[name]

    async def image_filesystems(self) -> ImageFilesystems:
        """One, which holds the images that are here and nothing else."""
        used = sum(image.size for image in self.present.values())
        return ImageFilesystems((FilesystemShare(self.clock.now(), "/var/lib/images", used, len(self.present)),))
