"""What the node has granted a pod, which may be less than its spec asks since it was changed (KEP-1287)."""

from typing import Protocol

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.observed import ResizeState


class Allocations(Protocol):
    """By which pods are run; their specs are only what is asked for."""

    def applied(self, pod: Pod) -> Pod:
        """The pod with the resources that it is granted."""
        ...

    def resize_state(self, uid: str) -> ResizeState:
        """How far a change of its resources has come."""
        ...


class AsAsked:
    """Grants whatever is asked for, when a container next starts."""

    def applied(self, pod: Pod) -> Pod:
        """The pod as it is."""
        return pod

    def resize_state(self, uid: str) -> ResizeState:  # noqa: ARG002 - no pod has one
        """Nothing is under way."""
        return ResizeState()
