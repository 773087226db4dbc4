"""`secret`: the keys of a Secret as files."""

from typing import ClassVar

from pilothouse.kubelet.payloads import Payload, secret_payload
from pilothouse.kubelet.projection import Projection, Source
from pilothouse.kubelet.volume import Surroundings


class SecretProjection(Projection):
    """All keys, or those that are listed."""

    field: ClassVar[str] = "secret"

    async def payload(self, source: Source, around: Surroundings) -> Payload:
        """Its files."""
        wanted = source.part.secret
        found = await around.objects.secret(around.pod.metadata.namespace, wanted.name)
        return secret_payload(found, wanted.name, wanted.items, source.mode, optional=bool(wanted.optional))
