"""`secret`: the keys of a Secret as files in memory, following its changes. API page: config-and-storage/volume."""

from pathlib import Path
from typing import ClassVar

from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.file_volume import DEFAULT_MODE, show_files
from pilothouse.kubelet.payloads import secret_payload
from pilothouse.kubelet.volume import Surroundings, VolumeType


class SecretVolume(VolumeType):
    """A Secret as files."""

    field: ClassVar[str] = "secret"
    plugin: ClassVar[str] = "secret"

    async def set_up(self, volume: Volume, around: Surroundings) -> Path:
        """Have its files."""
        source = volume.secret
        found = await around.objects.secret(around.pod.metadata.namespace, source.secretName)
        mode = DEFAULT_MODE if source.defaultMode is None else source.defaultMode
        payload = secret_payload(found, source.secretName, source.items, mode, optional=bool(source.optional))
        return show_files(around, self.plugin, volume.name, payload, in_memory=True)
