"""`configMap`: the keys of a ConfigMap as files, following its changes. API page: config-and-storage/volume."""

from pathlib import Path
from typing import ClassVar

from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.file_volume import DEFAULT_MODE, show_files
from pilothouse.kubelet.payloads import config_map_payload
from pilothouse.kubelet.volume import Surroundings, VolumeType


class ConfigMapVolume(VolumeType):
    """A ConfigMap as files."""

    field: ClassVar[str] = "configMap"
    plugin: ClassVar[str] = "configmap"

    async def set_up(self, volume: Volume, around: Surroundings) -> Path:
        """Have its files."""
        source = volume.configMap
        found = await around.objects.config_map(around.pod.metadata.namespace, source.name)
        mode = DEFAULT_MODE if source.defaultMode is None else source.defaultMode
        payload = config_map_payload(found, source.name, source.items, mode, optional=bool(source.optional))
        return show_files(around, self.plugin, volume.name, payload, in_memory=False)
