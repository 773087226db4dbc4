"""`persistentVolumeClaim`: a piece of the cluster's storage that outlives the pod."""

from typing import ClassVar

from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.claimed_volume import ClaimedVolume


class PersistentClaimVolume(ClaimedVolume):
    """A claim that the pod names."""

    field: ClassVar[str] = "persistentVolumeClaim"
    plugin: ClassVar[str] = "persistent-claim"

    def claim(self, volume: Volume, pod: str) -> tuple[str, bool]:  # noqa: ARG002 - the same for all pods
        """As the pod says."""
        source = volume.persistentVolumeClaim
        return source.claimName, bool(source.readOnly)
