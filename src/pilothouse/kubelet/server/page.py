"""`Page`: what the kubelet tells at one path, or a few. Found in `pages/`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.cri.interface import Cri
from pilothouse.kubelet.machine import Machine
from pilothouse.kubelet.server.exposition import Family
from pilothouse.kubelet.server.known_pods import Pods
from pilothouse.kubelet.server.question import Question
from pilothouse.kubelet.stats import Stats
from pilothouse.net.http import Response
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """What pages are made from."""

    pods: Pods
    cri: Cri
    clock: Clock
    config: KubeletConfig
    machine: Machine
    stats: Stats
    metrics: Metrics
    probe_metrics: Metrics = field(default_factory=Metrics)
    """Of probes, which have a page of their own: there are several a container."""
    told: Callable[[], Iterable[Family]] = tuple
    """What is looked at only when somebody asks."""
    started: Instant = 0.0
    """When the kubelet was."""


class Page(ABC):
    """One for the node."""

    paths: ClassVar[tuple[str, ...]]
    """Where it stands, such as `stats/summary`."""
    below: ClassVar[int] = 0
    """How many more words there are behind its paths, which only the page understands."""
    methods: ClassVar[tuple[str, ...]] = ()
    """That are welcome; none named: all."""

    def __init__(self, around: PageContext) -> None:
        self._around = around

    @abstractmethod
    async def answer(self, question: Question) -> Response:
        """The page. Raises Refused."""
