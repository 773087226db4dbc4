"""`downwardAPI`: what the pod may know of itself."""

from typing import ClassVar

from pilothouse.kubelet.payloads import Payload, downward_payload
from pilothouse.kubelet.projection import Projection, Source
from pilothouse.kubelet.volume import Surroundings


class DownwardApiProjection(Projection):
    """A file a field."""

    field: ClassVar[str] = "downwardAPI"

    async def payload(self, source: Source, around: Surroundings) -> Payload:
        """Its files."""
        return downward_payload(around.pod, source.part.downwardAPI.items, source.mode, around.facts)
