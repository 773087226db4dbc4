"""`Page`: what the kubelet tells at one path, or a few. Found in `pages/`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from pilothouse.kubelet.cri.interface import Cri
from pilothouse.kubelet.server.known_pods import Pods
from pilothouse.kubelet.server.question import Question
from pilothouse.net.http import Response
from pilothouse.runtime.metrics import Metrics


@dataclass(frozen=True, slots=True)
class PageContext:
    """What pages are made from."""

    pods: Pods
    cri: Cri
    metrics: Metrics


class Page(ABC):
    """One for the node."""

    paths: ClassVar[tuple[str, ...]]
    """Where it stands, such as `stats/summary`."""
    methods: ClassVar[tuple[str, ...]] = ()
    """That are welcome; none named: all."""

    def __init__(self, around: PageContext) -> None:
        self._around = around

    @abstractmethod
    async def answer(self, question: Question) -> Response:
        """The page. Raises Refused."""
