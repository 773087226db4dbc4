"""What volumes are told of pods' certificates."""

from dataclasses import dataclass
from typing import Protocol

from pilothouse.api.types.core_v1 import Pod, PodCertificateProjection


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key and the certificates for it, the pod's own first, as PEM."""

    key: bytes
    chain: bytes


class Certificates(Protocol):
    """The certificates of pods."""

    async def credentials(
        self, pod: Pod, wanted: PodCertificateProjection, volume: str, position: int, /
    ) -> Credentials:
        """Those of one source of a volume. Raises VolumeError as long as there are none."""
        ...

    def forget(self, uid: str, /) -> None:
        """The pod is gone."""
        ...
