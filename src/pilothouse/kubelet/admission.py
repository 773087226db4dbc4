"""Whether the node takes a pod that was bound to it: asked once, before anything is made of the pod.

A pod that is refused has failed, and whoever made it makes another elsewhere. Upstream: pkg/kubelet/lifecycle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.cri.interface import Cri

_NO_STRICT_GROUPS = "SupplementalGroupsPolicy=Strict is not supported in this node"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the node does not take a pod."""

    reason: str
    message: str


class Admission(Protocol):
    """Judges one pod at a time."""

    async def admit(self, pod: Pod, others: Sequence[Pod]) -> Refusal | None:
        """Why not, beside the `others` that have their place. None: it is taken. May raise CriError, StatusError."""
        ...


class NodeAdmission:
    """Takes what the runtime can run."""

    def __init__(self, cri: Cri) -> None:
        self._cri = cri

    async def admit(self, pod: Pod, others: Sequence[Pod]) -> Refusal | None:  # noqa: ARG002 - room is not counted
        """Why not. Raises CriError."""
        strict = pod.spec.securityContext.supplementalGroupsPolicy == "Strict"
        if strict and not (await self._cri.status()).strict_groups:
            return Refusal("SupplementalGroupsPolicyNotSupported", _NO_STRICT_GROUPS)
        return None
