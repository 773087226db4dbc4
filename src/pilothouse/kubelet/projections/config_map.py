"""`configMap`: the keys of a ConfigMap as files."""

from typing import ClassVar

from pilothouse.kubelet.payloads import Payload, config_map_payload
from pilothouse.kubelet.projection import Projection, Source
from pilothouse.kubelet.volume import Surroundings


class ConfigMapProjection(Projection):
    """All keys, or those that are listed."""

    field: ClassVar[str] = "configMap"

    async def payload(self, source: Source, around: Surroundings) -> Payload:
        """Its files."""
        wanted = source.part.configMap
        found = await around.objects.config_map(around.pod.metadata.namespace, wanted.name)
        return config_map_payload(found, wanted.name, wanted.items, source.mode, optional=bool(wanted.optional))
