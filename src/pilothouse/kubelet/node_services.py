"""The node's services that the workers of all pods share."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admission import Admission
from pilothouse.kubelet.allocation import Allocations, AsAsked
from pilothouse.kubelet.api import Objects, Pods, Recorder
from pilothouse.kubelet.contribution import Contributor, NothingMore
from pilothouse.kubelet.counts.pod_counts import PodCounts, uncounted
from pilothouse.kubelet.counts.resize_counts import ResizeCounts
from pilothouse.kubelet.cri.interface import Cri
from pilothouse.kubelet.devices.hand_out import Devices
from pilothouse.kubelet.dra.dynamic_resources import DynamicResources
from pilothouse.kubelet.hooks import Hooks
from pilothouse.kubelet.images.image_gc import ImageGc
from pilothouse.kubelet.images.pull import ImagePuller
from pilothouse.kubelet.managers.static_cpus import StaticCpus
from pilothouse.kubelet.managers.static_memory import StaticMemory
from pilothouse.kubelet.names_and_dns import Resolver
from pilothouse.kubelet.observed import Health, ObservedPod
from pilothouse.kubelet.pod_end import Ender
from pilothouse.kubelet.pod_volumes import Volumes
from pilothouse.kubelet.resources.pod_cgroups import PodCgroups
from pilothouse.kubelet.runtime_config import NodeFacts
from pilothouse.kubelet.status_writer import StatusWriter
from pilothouse.kubelet.storage import Storage
from pilothouse.kubelet.volume import ImageMounts, Mounter
from pilothouse.linux.cgroups import Cgroups
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.metrics import Metrics


class Prober(Protocol):
    """What probes say of a pod's containers."""

    def attend(self, pod: Pod, observed: ObservedPod, changed: Callable[[], None]) -> None:
        """Probe what runs now, and call `changed` at each new verdict."""
        ...

    def health(self, uid: str) -> Mapping[str, Health]:
        """By container id."""
        ...

    def retire(self, uid: str, changed: Callable[[], None]) -> None:
        """The pod is being ended: go on with readiness alone, and call `changed` at each new verdict."""
        ...

    def forget(self, uid: str) -> None:
        """Probe no more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeServices:
    """Each is one for the node."""

    cri: Cri
    clock: Clock
    pods: Pods
    objects: Objects
    recorder: Recorder
    writer: StatusWriter
    images: ImagePuller
    image_gc: ImageGc
    volumes: Volumes
    storage: Storage | None = None
    """What persistent volumes are had with; None: this node has none."""
    image_mounts: ImageMounts | None = None
    """What shows images as directories where the runtime cannot mount them; None: whatever the runtime can."""
    mounter: Mounter
    cgroups: PodCgroups
    hierarchies: Cgroups = field(default_factory=lambda: Cgroups({}, None))
    """The machine's control groups; none unless they are given."""
    prober: Prober
    hooks: Hooks
    ender: Ender
    facts: NodeFacts
    host_ips: Sequence[str]
    allocatable: Callable[[], Mapping[str, str]]
    resolver: Callable[[], Resolver]
    cluster_dns: Sequence[str]
    runtime_name: Callable[[], str]
    """What the runtime calls itself."""
    admission: Admission
    admitting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a pod is judged: the next is judged beside it."""
    allocations: Allocations = field(default_factory=AsAsked)
    contributor: Contributor = field(default_factory=NothingMore)
    devices: Devices | None = None
    """What plugins hand out; None: there are none."""
    dynamic_resources: DynamicResources | None = None
    """What pods claim, and drivers make ready; None: pods have no claims here."""
    cpus: StaticCpus | None = None
    """Which processors are whose; None: all containers share all."""
    counts: PodCounts = field(default_factory=uncounted)
    resize_counts: ResizeCounts = field(default_factory=lambda: ResizeCounts(Metrics()))
    memory: StaticMemory | None = None
    """Which memory is whose; None: all containers have theirs from anywhere."""
    network_problem: Callable[[], str] = lambda: ""
    """Why pods cannot have a network now; empty when they can."""
