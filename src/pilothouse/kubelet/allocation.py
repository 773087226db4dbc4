"""What the node has granted a pod, which differs from its spec while a change of that is under way (KEP-1287).

What is asked for stands in the spec, what is granted in a record on the node (`allocation_store`), what is in force in
the runtime. A change goes from one to the next, and each step can be taken again after a kubelet that died.
"""

from collections.abc import Callable, Iterable, Sequence
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

    def admit(self, pod: Pod, *, in_force: bool = True) -> None:
        """The node has taken the pod: grant what it asks for, unless an earlier kubelet has granted something.

        `in_force`: as far as it runs already, it has that.
        """
        ...

    async def consider(self, pod: Pod, others: Callable[[], Sequence[Pod]], poke: Callable[[], None]) -> None:
        """Decide on what the pod asks for beyond what it is granted, beside the others that have their place.

        `poke` is called when the answer changes later. Raises CriError, StatusError.
        """
        ...

    def restarting(self, uid: str, runs: Iterable[str]) -> None:
        """These runs are about to be ended, to start anew."""
        ...

    def fitted(self, uid: str) -> None:
        """The runtime has taken what is granted."""
        ...

    def failed(self, pod: Pod, message: str) -> None:
        """The runtime or the kernel has refused it."""
        ...

    def settle(self, pod: Pod) -> None:
        """What is granted is in force."""
        ...

    def release(self, uid: str) -> None:
        """The pod takes no room any more: others may have it."""
        ...

    def forget(self, uid: str) -> None:
        """The pod is gone."""
        ...

    async def retry(self) -> None:
        """Look again at the changes that wait, for as long as the kubelet lives."""
        ...


class AsAsked:
    """Grants whatever is asked for, when a container next starts."""

    def applied(self, pod: Pod) -> Pod:
        """The pod as it is."""
        return pod

    def resize_state(self, uid: str) -> ResizeState:  # noqa: ARG002 - no pod has one
        """Nothing is under way."""
        return ResizeState()

    def admit(self, pod: Pod, *, in_force: bool = True) -> None:
        """There is nothing to remember."""

    async def consider(self, pod: Pod, others: Callable[[], Sequence[Pod]], poke: Callable[[], None]) -> None:
        """There is nothing to decide."""

    def restarting(self, uid: str, runs: Iterable[str]) -> None:
        """Never needed."""

    def fitted(self, uid: str) -> None:
        """Never needed."""

    def failed(self, pod: Pod, message: str) -> None:
        """Never needed."""

    def settle(self, pod: Pod) -> None:
        """Never needed."""

    def release(self, uid: str) -> None:
        """Nobody waits."""

    def forget(self, uid: str) -> None:
        """There is nothing to forget."""

    async def retry(self) -> None:
        """Nobody waits."""
