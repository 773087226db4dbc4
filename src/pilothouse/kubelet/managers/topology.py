"""`Topology`: how the machine's processors lie to each other and to its memory.

A core's threads share what is in it, a socket's cores a cache, and a NUMA node's processors have its memory near.
Sources: sysfs-devices-system-cpu, sysfs-devices-node. Upstream: pkg/kubelet/cm/cpumanager/topology/topology.go.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pilothouse.kubelet.managers.cpu_list import Cpus, parse
from pilothouse.kubelet.managers.memory_nodes import NodeMemory, read_nodes

_SYSTEM = "sys/devices/system"


@dataclass(frozen=True, slots=True)
class Cpu:
    """One processor, which is a thread of a core."""

    id: int
    core: int
    """The lowest id among the core's threads."""
    socket: int
    node: int
    cache: int = 0
    """A number that all have that share the last level of cache."""


@dataclass(frozen=True)
class Topology:
    """One machine's."""

    cpus: tuple[Cpu, ...]
    memory: tuple[NodeMemory, ...] = ()

    @classmethod
    def read(cls, root: Path = Path("/")) -> "Topology":
        """This machine's, or what files below `root` say of one. Raises OSError, ValueError."""
        system = root / _SYSTEM
        nodes = {
            cpu: int(place.parent.name.removeprefix("node"))
            for place in sorted(system.glob("node/node[0-9]*/cpulist"))
            for cpu in parse(place.read_text())
        }
        online = sorted(parse((system / "cpu/online").read_text()))
        cpus = tuple(_cpu(system / f"cpu/cpu{cpu}/topology", cpu, nodes.get(cpu, 0)) for cpu in online)
        return cls(cpus, read_nodes(root))

    @cached_property
    def ids(self) -> Cpus:
        """All processors."""
        return frozenset(cpu.id for cpu in self.cpus)

    @cached_property
    def nodes(self) -> tuple[int, ...]:
        """The NUMA nodes that have processors."""
        return tuple(sorted({cpu.node for cpu in self.cpus}))

    @cached_property
    def every_node(self) -> tuple[int, ...]:
        """Those that have memory alone, too."""
        return tuple(sorted({*self.nodes, *(one.node for one in self.memory)}))

    @cached_property
    def sockets(self) -> int:
        """How many there are."""
        return len({cpu.socket for cpu in self.cpus})

    @cached_property
    def caches(self) -> int:
        """How many of the last level there are."""
        return len({cpu.cache for cpu in self.cpus})

    @cached_property
    def threads(self) -> int:
        """How many a core has."""
        return len(self.cpus) // max(len({cpu.core for cpu in self.cpus}), 1)

    def near(self, nodes: Collection[int]) -> Cpus:
        """The processors of these NUMA nodes."""
        return frozenset(cpu.id for cpu in self.cpus if cpu.node in nodes)

    def sockets_of(self, nodes: Collection[int]) -> frozenset[int]:
        """The sockets that have processors of these NUMA nodes."""
        return frozenset(cpu.socket for cpu in self.cpus if cpu.node in nodes)

    def on_sockets_of(self, nodes: Collection[int]) -> Cpus:
        """All processors of them."""
        sockets = self.sockets_of(nodes)
        return frozenset(cpu.id for cpu in self.cpus if cpu.socket in sockets)

    def distance(self, nodes: Collection[int]) -> float:
        """How far these NUMA nodes are from each other, on the average."""
        places = {one.node: place for place, one in enumerate(self.memory)}
        far = {one.node: one.distances for one in self.memory if len(one.distances) == len(self.memory)}
        every = [far[one][places[other]] for one in nodes if one in far for other in nodes if other in places]
        return sum(every) / len(every) if every else 0.0

    def siblings(self, ids: Iterable[int]) -> Cpus:
        """All threads of the cores that these belong to."""
        wanted = frozenset(ids)
        cores = {cpu.core for cpu in self.cpus if cpu.id in wanted}
        return frozenset(cpu.id for cpu in self.cpus if cpu.core in cores)


def _cpu(directory: Path, cpu: int, node: int) -> Cpu:
    threads = parse((directory / "thread_siblings_list").read_text())
    # Some machines number no sockets: -1.
    socket = max(int((directory / "physical_package_id").read_text()), 0)
    shared = directory.parent / "cache/index3/shared_cpu_list"
    cache = min(parse(shared.read_text()), default=cpu) if shared.exists() else socket
    return Cpu(cpu, min(threads, default=cpu), socket, node, cache)
