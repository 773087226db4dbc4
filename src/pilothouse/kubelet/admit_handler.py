"""`AdmitHandler`: one reason for which a node may not take a pod. Found in `admit/`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pilothouse.api.types.core_v1 import Pod, Taint
from pilothouse.kubelet.sysctls import AllowedSysctls
from pilothouse.runtime.units import subclasses


@dataclass(frozen=True, slots=True)
class Shortage:
    """A resource of which the node has too little. CPU in thousandths, others in whole numbers."""

    resource: str
    requested: int
    used: int
    capacity: int

    @property
    def missing(self) -> int:
        """How much others would have to give back."""
        return self.requested - (self.capacity - self.used)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the node does not take a pod."""

    reason: str
    message: str
    shortages: tuple[Shortage, ...] = ()
    """What is lacking, if nothing else is the matter: others may have to make room."""


def failed_check(name: str, message: str) -> Refusal:
    """A refusal by one of the scheduler's checks, which the scheduler would have refused too."""
    return Refusal(name, f"Predicate {name} failed: {message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """What handlers judge by."""

    name: str
    labels: Mapping[str, str]
    taints: Sequence[Taint] = ()
    allocatable: Mapping[str, str] = field(default_factory=dict)
    """What pods may have of it, by resource."""
    others: Sequence[Pod] = ()
    """The pods that have their place, with what they are granted."""
    strict_groups: bool = False
    """Whether the runtime can leave out the groups that an image gives its user."""
    declared: frozenset[str] = frozenset()
    """Features that pods may need and not every node has (KEP-5328)."""
    app_armor: bool = False
    sysctls: AllowedSysctls
    pressure: Sequence[str] = ()
    """The conditions that are true of the node because it runs out of something."""
    shutting_down: bool = False
    """Whether its machine is being shut down."""


class AdmitHandler(ABC):
    """One a file. Without state: what it judges by is in the view."""

    rank: ClassVar[int]
    """Handlers are asked in the order of their ranks, and the first refusal is told."""

    @abstractmethod
    def refuse(self, pod: Pod, view: NodeView) -> Refusal | None:
        """Why not. None: nothing here speaks against it."""


def all_handlers() -> list[AdmitHandler]:
    """Those that the kubelet has, in the order in which they are asked."""
    kinds = subclasses(AdmitHandler, f"{__package__}.admit")  # type: ignore[type-abstract]
    return sorted((kind() for kind in kinds), key=lambda handler: handler.rank)


def was_begun(pod: Pod) -> bool:
    """Whether an earlier kubelet took the pod: what has changed of the node since is not held against it."""
    return pod.status.startTime is not None
