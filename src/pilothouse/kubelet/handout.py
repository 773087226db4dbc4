"""What of the node is given to single containers when it takes a pod, such as devices: the seam for who gives it."""

from collections.abc import Mapping
from typing import Protocol

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import Refusal


class Handout(Protocol):
    """Asked after what speaks against a pod at once, and before it is counted what the node has left."""

    async def hand_out(self, pod: Pod) -> Refusal | None:
        """Give the pod's containers what they lack; why not."""
        ...

    def known_to(self, pod: Pod, allocatable: Mapping[str, str]) -> Mapping[str, str]:
        """What the node offers, as far as this pod is concerned."""
        ...


class NothingToGive:
    """The node has nothing of the kind."""

    async def hand_out(self, pod: Pod) -> Refusal | None:  # noqa: ARG002 - the same for all
        """None is refused."""
        return None

    def known_to(self, pod: Pod, allocatable: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG002 - for all alike
        """What it offers."""
        return allocatable
