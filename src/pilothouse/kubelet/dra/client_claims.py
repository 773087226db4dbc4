"""Claims, read from the API."""

from pilothouse.api.types.resource_v1 import ResourceClaim
from pilothouse.client.client import Client


class ClientClaims:
    """`Claims` over the API."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def claim(self, namespace: str, name: str) -> ResourceClaim:
        """One, as it is now."""
        return await self._client.get(ResourceClaim, name, namespace)
