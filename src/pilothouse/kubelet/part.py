"""`Part`: something that the kubelet does from its start to its end, beside running pods. Found in `parts/`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pilothouse.client.client import Client
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.identity.node_certificates import NOT_RENEWED, NodeCertificates
from pilothouse.kubelet.node_agent import NodeAgent
from pilothouse.kubelet.node_services import NodeServices
from pilothouse.kubelet.pod_sources import PodSources
from pilothouse.kubelet.pod_workers import PodWorkers
from pilothouse.kubelet.stats import Stats
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.tasks import Tasks
from pilothouse.runtime.units import subclasses


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeContext:
    """All that a part may work with."""

    config: KubeletConfig
    client: Client
    services: NodeServices
    workers: PodWorkers
    sources: PodSources = field(default_factory=PodSources)
    agent: NodeAgent
    metrics: Metrics
    chance: Chance
    tasks: Tasks
    stats: Stats
    """What pods and the node use."""
    certificates: NodeCertificates = NOT_RENEWED
    """Those of the node's own."""


class Part(ABC):
    """One a kubelet."""

    name: ClassVar[str]
    """Of its task."""
    early: ClassVar[bool] = False
    """It begins before the API server has been heard of: the pods of the API are not known then."""

    @abstractmethod
    async def run(self, node: NodeContext) -> None:
        """Work for as long as the kubelet lives. It may return when there is nothing to do; errors are its own."""


def all_parts() -> list[Part]:
    """Those that the kubelet has."""
    return [kind() for kind in subclasses(Part, f"{__package__}.parts")]  # type: ignore[type-abstract]


def begin(parts: Sequence[Part], node: NodeContext) -> None:
    """Set the parts to work."""
    for part in parts:
        node.tasks.spawn(part.run(node), name=part.name)
