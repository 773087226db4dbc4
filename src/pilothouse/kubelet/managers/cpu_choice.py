"""Which processors somebody gets that wants some of his own: pure.

Whole NUMA nodes and sockets are given to who needs so many, then whole cores, and single threads last; where a choice
is left, from where the fewest are free, so that large pieces stay whole for others. Options of the policy have it
otherwise: `cpu_caches`, `cpu_balance`.
Upstream: takeByTopologyNUMAPacked in pkg/kubelet/cm/cpumanager/cpu_assignment.go.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter

from pilothouse.kubelet.managers.cpu_list import Cpus
from pilothouse.kubelet.managers.hints import Unavailable
from pilothouse.kubelet.managers.topology import Cpu, Topology

Key = Callable[[Cpu], int]
NODE: Key = attrgetter("node")
SOCKET: Key = attrgetter("socket")
CACHE: Key = attrgetter("cache")
CORE: Key = attrgetter("core")
Middle = Callable[[Topology, Collection[int], int], Cpus]


def nothing_between(_topology: Topology, _available: Collection[int], _count: int) -> Cpus:
    """Between sockets and cores nothing counts."""
    return frozenset()


def take(
    topology: Topology, available: Collection[int], count: int, *, between: Middle = nothing_between,
    spread: bool = False,
) -> Cpus:  # fmt: skip
    """Choose `count` of the available ones. Raises Unavailable.

    `between` takes some of what is missing when whole nodes and sockets have been taken. With `spread` threads are
    taken by their numbers in place of whole cores: first threads of cores have the low ones, mostly.
    """
    if count > len(available):
        raise Unavailable(
            f"not enough cpus available to satisfy request: requested={count}, available={len(available)}"
        )
    taken: set[int] = set()
    large, small = levels(topology)
    take_whole(topology, available, count, taken, (large,))
    take_whole(topology, available, count, taken, (large, small))
    taken |= between(topology, frozenset(available) - taken, count - len(taken))
    by_socket = (large, small) if small is SOCKET else (large,)
    if not spread:
        take_whole(topology, available, count, taken, (large, small, CORE))
    last = pieces(left(topology, available, taken), by_socket if spread else (large, small, CORE))
    rest = [cpu.id for piece in last for cpu in sorted(piece, key=attrgetter("id"))]
    return frozenset((*taken, *rest[: count - len(taken)]))


def levels(topology: Topology) -> tuple[Key, Key]:
    """The larger pieces first: a machine has sockets of several NUMA nodes, or NUMA nodes of one socket or more."""
    return (NODE, SOCKET) if topology.sockets >= len(topology.nodes) else (SOCKET, NODE)


def take_whole(
    topology: Topology, available: Collection[int], count: int, taken: set[int], keys: Sequence[Key]
) -> None:  # fmt: skip
    """Add to `taken` pieces by the last of the keys that are all free, as long as so many are missing."""
    whole = Counter(map(keys[-1], topology.cpus))
    for piece in pieces(left(topology, available, taken), keys):
        if len(piece) == whole[keys[-1](piece[0])] and len(piece) <= count - len(taken):
            taken.update(cpu.id for cpu in piece)


def left(topology: Topology, available: Collection[int], taken: Collection[int]) -> list[Cpu]:
    """Those that are not taken."""
    return [cpu for cpu in topology.cpus if cpu.id in available and cpu.id not in taken]


def pieces(cpus: Sequence[Cpu], keys: Sequence[Key]) -> list[list[Cpu]]:
    """The processors by the last of the keys, piece by piece of the larger ones: the smallest first."""
    groups: dict[int, list[Cpu]] = {}
    for cpu in cpus:
        groups.setdefault(keys[0](cpu), []).append(cpu)
    ordered = [group for _, group in sorted(groups.items(), key=lambda item: (len(item[1]), item[0]))]
    if len(keys) == 1:
        return ordered
    return [piece for group in ordered for piece in pieces(group, keys[1:])]
