"""`serviceAccountToken`: the token that every pod gets at /var/run/secrets/kubernetes.io/serviceaccount."""

from typing import ClassVar

from pilothouse.api.machinery.errors import StatusError
from pilothouse.kubelet.payloads import Payload
from pilothouse.kubelet.projection import Projection, Source, private_file
from pilothouse.kubelet.tokens import DEFAULT_SECONDS
from pilothouse.kubelet.volume import Surroundings, VolumeError


class ServiceAccountTokenProjection(Projection):
    """A token that is renewed before it runs out."""

    field: ClassVar[str] = "serviceAccountToken"

    async def payload(self, source: Source, around: Surroundings) -> Payload:
        """One file."""
        wanted = source.part.serviceAccountToken
        seconds = DEFAULT_SECONDS if wanted.expirationSeconds is None else wanted.expirationSeconds
        try:
            token = await around.tokens.get(around.pod, wanted.audience, seconds)
        except StatusError as error:
            raise VolumeError(f"failed to fetch token: {error.message}") from error
        return {wanted.path: private_file(token.encode(), source.mode, around.pod)}
