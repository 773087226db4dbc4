"""`ephemeral`: a piece of the cluster's storage that comes and goes with the pod, by a claim made for it.

API page: "Ephemeral Volumes", on generic ones. A controller makes the claim; another's of the same name is not taken.
"""

from typing import ClassVar

from pilothouse.api.types.core_v1 import Volume
from pilothouse.kubelet.claimed_volume import ClaimedVolume


class EphemeralVolume(ClaimedVolume):
    """A claim of the pod's own."""

    field: ClassVar[str] = "ephemeral"
    plugin: ClassVar[str] = "ephemeral"

    @property
    def owned(self) -> bool:
        """It is."""
        return True

    def claim(self, volume: Volume, pod: str) -> tuple[str, bool]:
        """Named after pod and volume."""
        return f"{pod}-{volume.name}", False
