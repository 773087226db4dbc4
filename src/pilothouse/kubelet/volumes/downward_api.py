"""`downwardAPI`: facts about the pod as files, following its labels and annotations."""

from pathlib import Path
from typing import ClassVar

from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.file_volume import DEFAULT_MODE, show_files
from pilothouse.kubelet.payloads import downward_payload
from pilothouse.kubelet.volume import Surroundings, VolumeType


class DownwardAPIVolume(VolumeType):
    """Facts about the pod as files."""

    field: ClassVar[str] = "downwardAPI"
    plugin: ClassVar[str] = "downward-api"

    async def set_up(self, volume: Volume, around: Surroundings) -> Path:
        """Have its files."""
        source = volume.downwardAPI
        mode = DEFAULT_MODE if source.defaultMode is None else source.defaultMode
        payload = downward_payload(around.pod, source.items, mode, around.facts)
        return show_files(around, self.plugin, volume.name, payload, in_memory=True)
