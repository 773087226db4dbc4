"""Givers of made-up machines, and pods that want something of them."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubelet.managers.machines import GI, machine
from kubelet.managers.machines import memory as nodes
from kubelet.observing import pod
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.admit_handler import Refusal
from pilothouse.kubelet.config import KubeletConfig
from pilothouse.kubelet.contribution import Contribution, NothingMore
from pilothouse.kubelet.devices.stock import Supply
from pilothouse.kubelet.handout import NothingToGive
from pilothouse.kubelet.managers.cpu_list import parse, text
from pilothouse.kubelet.managers.hand_out import Affinities, AlignedHandout
from pilothouse.kubelet.managers.hints import Hint, HintProvider, Hints, Nodes, Unavailable
from pilothouse.kubelet.managers.memory_policy import MemoryPolicy
from pilothouse.kubelet.managers.policy import Exclusive
from pilothouse.kubelet.managers.static_cpus import StaticCpus
from pilothouse.kubelet.managers.static_memory import StaticMemory
from pilothouse.kubelet.managers.topology import Topology
from pilothouse.kubelet.reservations import Reservations
from pilothouse.net.pki import KeyPair


def asking(cpu: str, name: str = "app", **more: Any) -> JsonObject:
    amounts = {"cpu": cpu, "memory": "1Gi"}
    return {"name": name, "image": "app:1", "resources": {"limits": amounts, "requests": amounts}, **more}


def guaranteed(name: str, *cpus: str, init: Collection[JsonObject] = ()) -> Pod:
    """Containers `app0`, `app1`... that ask for so many."""
    containers = [asking(cpu, f"app{number}") for number, cpu in enumerate(cpus)]
    return pod(metadata={"uid": f"uid-{name}", "name": name}, containers=containers, initContainers=list(init))


@dataclass
class Giver:
    """Of one machine; the first processor is reserved."""

    directory: Path
    topology: Topology = field(default_factory=lambda: machine(1, 4, 2))
    options: dict[str, str] = field(default_factory=dict)
    active: set[str] | None = None
    unthrottled: bool = True
    cpus: StaticCpus = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self, reserved: str = "0") -> None:
        policy = Exclusive(
            cpu_policy="static", cpu_options=self.options, alpha_options=True, unthrottled=self.unthrottled
        )
        self.cpus = StaticCpus(self.topology, parse(reserved), policy, self.directory, lambda: self.active)

    def give(self, to: Pod, near: Collection[int] | None = None) -> str:
        """What each container has now; why not."""
        every = [*to.spec.initContainers, *to.spec.containers]
        try:
            for container in every:
                asyncio.run(self.cpus.allocate(to, container, None if near is None else frozenset(near)))
        except Unavailable as error:
            return f"{error.reason}: {error}"
        return " ".join(text(self.cpus.own(to.metadata.uid, one.name)) or "-" for one in every)

    @property
    def shared(self) -> str:
        return text(self.cpus.of("uid-any", "app"))


def config(
    root: Path, exclusive: Exclusive | None = None, kept: Reservations | None = None, memory: MemoryPolicy | None = None
) -> KubeletConfig:
    """A kubelet's."""
    return KubeletConfig(
        node_name="n1", address="10.0.0.1", root=root, logs=root, images=root, client_authority=b"",
        serving=KeyPair(b"", b""), exclusive=exclusive or Exclusive(), reservations=kept or Reservations(),
        memory=memory or MemoryPolicy(),
    )  # fmt: skip


class Cards:
    """Gives every container a card on NUMA node 1."""

    def __init__(self) -> None:
        self.given: list[tuple[str, Nodes | None]] = []

    def hints(self, pod: Pod, container: Container) -> Hints:
        return self.pod_hints(pod)

    def pod_hints(self, pod: Pod) -> Hints:
        return {"card": [Hint(frozenset({1}), preferred=True)]}

    async def allocate(self, pod: Pod, container: Container, affinity: Nodes | None) -> None:
        self.given.append((container.name, affinity))


class More(NothingToGive, NothingMore):
    """Gives the others theirs, but to pods called `late`."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def hand_out(self, pod: Pod) -> Refusal | None:
        self.asked.append(pod.metadata.name)
        return Refusal("UnexpectedAdmissionError", "none left") if pod.metadata.name == "late" else None

    def known_to(self, pod: Pod, allocatable: Mapping[str, str]) -> Mapping[str, str]:
        return {**allocatable, "cpu": "64", "memory": "64Gi"}

    async def contribute(self, pod: Pod, container: Container) -> Contribution:
        return Contribution(envs={"CARD": "1"})

    def supplies(self, pod: Pod, container: Container) -> Mapping[str, Supply]:
        return {}

    async def give(self, pod: Pod, container: Container) -> None:
        return None


def giver(
    root: Path, policy: str = "none", scope: str = "container", cards: Cards | None = None, more: More | None = None,
    active: Collection[str] | None = None, affinities: Affinities | None = None, gigs: Sequence[int] = (),
) -> AlignedHandout:  # fmt: skip
    """Of a machine of two NUMA nodes with processors 0-3 and 4-7, and perhaps with so many GiB, one of them kept."""
    exclusive, topology = Exclusive(cpu_policy="static", topology_policy=policy, topology_scope=scope), machine(2, 4)
    cpus = StaticCpus(topology, parse("0"), exclusive, root, lambda: active)
    memory = StaticMemory(nodes(*gigs), {0: {"memory": GI}}, root, lambda: active) if gigs else None
    others: list[HintProvider] = [one for one in (memory, cards) if one is not None]
    more = more or More()
    return AlignedHandout(
        exclusive, topology.nodes, [cpus, *others], cpus, more, more, lambda: active, affinities or Affinities(), memory
    )
