"""`projected`: ConfigMaps, Secrets, the downward API, tokens and certificates in one directory.

What a source shows is said in `projections/`, a file each. API page: "Projected Volumes".
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.file_volume import DEFAULT_MODE, show_files
from pilothouse.kubelet.payloads import Payload
from pilothouse.kubelet.projection import Projection, Source
from pilothouse.kubelet.volume import Surroundings, VolumeError, VolumeType
from pilothouse.runtime.units import subclasses


class ProjectedVolume(VolumeType):
    """Several sources in one directory; of two files with one path the later wins."""

    field: ClassVar[str] = "projected"
    plugin: ClassVar[str] = "projected"

    def __init__(self) -> None:
        found = subclasses(Projection, "pilothouse.kubelet.projections")  # type: ignore[type-abstract]
        self._kinds: Mapping[str, Projection] = {kind.field: kind() for kind in found}

    async def set_up(self, volume: Volume, around: Surroundings) -> Path:
        """Have its files. Raises VolumeError for all sources that fail."""
        wanted = volume.projected
        mode = DEFAULT_MODE if wanted.defaultMode is None else wanted.defaultMode
        payload: Payload = {}
        failures: list[str] = []
        for position, part in enumerate(wanted.sources):
            try:
                payload |= await self._payload(Source(part, mode, volume.name, position), around)
            except VolumeError as error:
                failures.append(str(error))
        if failures:
            raise VolumeError(_joined(failures))
        return show_files(around, self.plugin, volume.name, payload, in_memory=True)

    async def _payload(self, source: Source, around: Surroundings) -> Payload:
        kind = next((kind for name, kind in self._kinds.items() if source.part.raw.get(name) is not None), None)
        if kind is None:
            raise VolumeError(f"this node does not offer projections of {', '.join(source.part.raw)}")
        return await kind.payload(source, around)


def _joined(failures: list[str]) -> str:
    """As upstream joins errors: each once, and several in brackets."""
    unique = [*dict.fromkeys(failures)]
    return unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"
