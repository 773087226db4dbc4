"""`Reclaimer`: throws away what nobody uses on a disk that is full, before pods have to go. Found in `reclaimers/`."""

from abc import ABC, abstractmethod
from typing import ClassVar

from pilothouse.kubelet.node_services import NodeServices
from pilothouse.kubelet.pod_workers import PodWorkers
from pilothouse.runtime.units import subclasses


class Reclaimer(ABC):
    """One kind of thing."""

    rank: ClassVar[int]
    """They are asked in the order of their ranks, all of them."""

    def __init__(self, services: NodeServices, workers: PodWorkers) -> None:
        self._services = services
        self._workers = workers

    @abstractmethod
    async def reclaim(self) -> None:
        """Throw away all that may go. May raise CriError."""


def all_reclaimers(services: NodeServices, workers: PodWorkers) -> list[Reclaimer]:
    """Those that the kubelet has, in the order in which they are asked."""
    kinds = subclasses(Reclaimer, f"{__package__}.reclaimers")  # type: ignore[type-abstract]
    return sorted((kind(services, workers) for kind in kinds), key=lambda one: one.rank)
