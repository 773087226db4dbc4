"""Which processors somebody gets that wants some of his own: pure.

Whole NUMA nodes and sockets are given to who needs so many, then whole cores, and single threads last; where a choice
is left, from where the fewest are free, so that large pieces stay whole for others.
Upstream: takeByTopologyNUMAPacked in pkg/kubelet/cm/cpumanager/cpu_assignment.go.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter

from pilothouse.kubelet.managers.cpu_list import Cpus
from pilothouse.kubelet.managers.hints import Unavailable
from pilothouse.kubelet.managers.topology import Cpu, Topology

_Key = Callable[[Cpu], int]
_NODE: _Key = attrgetter("node")
_SOCKET: _Key = attrgetter("socket")
_CORE: _Key = attrgetter("core")


def take(topology: Topology, available: Collection[int], count: int) -> Cpus:
    """Choose `count` of the available ones. Raises Unavailable."""
    if count > len(available):
        raise Unavailable(
            f"not enough cpus available to satisfy request: requested={count}, available={len(available)}"
        )
    taken: set[int] = set()
    # The larger pieces first: a machine has sockets of several NUMA nodes, or NUMA nodes of one socket or more.
    large, small = (_NODE, _SOCKET) if topology.sockets >= len(topology.nodes) else (_SOCKET, _NODE)
    for keys in ((large,), (large, small), (large, small, _CORE)):
        whole = Counter(map(keys[-1], topology.cpus))
        for piece in _pieces(_left(topology, available, taken), keys):
            if len(piece) == whole[keys[-1](piece[0])] and len(piece) <= count - len(taken):
                taken.update(cpu.id for cpu in piece)
    threads = _pieces(_left(topology, available, taken), (large, small, _CORE))
    rest = [cpu.id for core in threads for cpu in sorted(core, key=attrgetter("id"))]
    return frozenset((*taken, *rest[: count - len(taken)]))


def _left(topology: Topology, available: Collection[int], taken: Collection[int]) -> list[Cpu]:
    return [cpu for cpu in topology.cpus if cpu.id in available and cpu.id not in taken]


def _pieces(cpus: Sequence[Cpu], keys: Sequence[_Key]) -> list[list[Cpu]]:
    """The processors by the last of the keys, piece by piece of the larger ones: the smallest first."""
    groups: dict[int, list[Cpu]] = {}
    for cpu in cpus:
        groups.setdefault(keys[0](cpu), []).append(cpu)
    ordered = [group for _, group in sorted(groups.items(), key=lambda item: (len(item[1]), item[0]))]
    if len(keys) == 1:
        return ordered
    return [piece for group in ordered for piece in _pieces(group, keys[1:])]
