"""`NodeReport`: what one matter has to say in the node's status. Found in `node_reports/`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.cri.interface import Cri
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.node_status import NodeIdentity
from pilothouse.runtime.units import subclasses


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What reports are made from."""

    identity: NodeIdentity
    machine: Machine
    cri: Cri


class NodeReport(ABC):
    """Asked each time that the status is drawn up, which is every ten seconds."""

    @abstractmethod
    async def amend(self, status: JsonObject, facts: ReportFacts) -> None:
        """Add to the status, or change it. The node lives as long as others report: do not raise, do not wait."""


def all_reports() -> list[NodeReport]:
    """Those that the kubelet makes."""
    return [kind() for kind in subclasses(NodeReport, f"{__package__}.node_reports")]  # type: ignore[type-abstract]
