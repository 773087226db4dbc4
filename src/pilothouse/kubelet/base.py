"""What everything of a node is made from: its configuration, its machine, and the ways out."""

from dataclasses import dataclass

from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.client import Client
from pilothouse.client.informer import Informer, Informers
from pilothouse.kubelet.api import Recorder
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.cri.interface import Cri
from pilothouse.kubelet.layout import Layout
from pilothouse.kubelet.machine import Machine
from pilothouse.runtime.chance import Chance
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics
from pilothouse.runtime.tasks import Tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """One node's."""

    config: KubeletConfig
    machine: Machine
    client: Client
    cri: Cri
    clock: Clock
    chance: Chance
    tasks: Tasks
    recorder: Recorder
    informers: Informers
    metrics: Metrics
    probe_metrics: Metrics
    """Those of probes, which have a page of their own."""

    @property
    def layout(self) -> Layout:
        """Where things of pods lie."""
        return Layout(self.config.root, self.config.logs, self.config.log_links)

    @property
    def pods(self) -> Informer[Pod]:
        """The pods that are bound to the node."""
        return self.informers.of(Pod, fields=f"spec.nodeName={self.config.node_name}")

    @property
    def own(self) -> Informer[Node]:
        """The node's own object."""
        return self.informers.of(Node, fields=f"metadata.name={self.config.node_name}")
