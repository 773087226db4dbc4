"""Has who wants more processors than a NUMA node has get as many from each of several: pure.

The option `distribute-cpus-across-numa` (KEP-2902): the fewest nodes that can give the same number each, and of those
the ones that leave the nodes of the machine most alike. Without such nodes they are packed as always.
Upstream: takeByTopologyNUMADistributed in pkg/kubelet/cm/cpumanager/cpu_assignment.go.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, sqrt

from pilothouse.kubelet.managers.cpu_choice import NODE, SOCKET, left, levels, pieces, take
from pilothouse.kubelet.managers.cpu_list import Cpus
from pilothouse.kubelet.managers.topology import Topology


@dataclass(frozen=True, slots=True)
class _Plan:
    """How many each of the nodes gives, and which of them give more, `group` at a time, until there are enough."""

    nodes: tuple[int, ...]
    each: int
    more: tuple[int, ...] = ()


def take_balanced(topology: Topology, available: Collection[int], count: int, group: int = 1) -> Cpus:
    """Choose `count` of the available ones, as many as `group` from one node at a time. Raises Unavailable."""
    plan = _plan(topology, available, count, group) if 0 < count <= len(available) and not count % group else None
    if plan is None:
        return take(topology, available, count)
    taken: Cpus = frozenset()
    for node in plan.nodes:
        taken |= take(topology, _of(topology, available, node), plan.each)
    while len(taken) < count:
        for node in plan.more:
            free = _of(topology, available, node) - taken
            if len(taken) < count and len(free) >= group:
                taken |= take(topology, free, group)
    return taken


def _of(topology: Topology, available: Collection[int], node: int) -> Cpus:
    return topology.near((node,)) & frozenset(available)


def _plan(topology: Topology, available: Collection[int], count: int, group: int) -> _Plan | None:
    keys = (NODE,) if levels(topology)[0] is NODE else (SOCKET, NODE)
    order = [piece[0].node for piece in pieces(left(topology, available, ()), keys)]
    free = Counter(cpu.node for cpu in left(topology, available, ()))
    groups, in_all = ceil(count / group), ceil(len(topology.cpus) / group)
    for size in range(ceil(groups / ceil(in_all / len(topology.nodes))), min(groups, len(order)) + 1):
        best = min(
            (found for nodes in combinations(order, size) for found in _ways(nodes, free, count, group)),
            key=lambda found: found[0], default=None,
        )  # fmt: skip
        if best is not None:
            return best[1]
    return None


def _ways(
    nodes: tuple[int, ...], free: Mapping[int, int], count: int, group: int
) -> Iterator[tuple[float, _Plan]]:  # fmt: skip
    """How these can give so many together, and how unlike that leaves the nodes of the machine."""
    each = count // len(nodes) // group * group
    if sum(free[node] // group for node in nodes) * group < count or any(free[node] < each for node in nodes):
        return
    after = {node: amount - (each if node in nodes else 0) for node, amount in free.items()}
    rest = count - each * len(nodes)
    if not rest:
        yield _unlike(list(after.values())), _Plan(nodes, each)
        return
    able = [node for node in nodes if after[node] >= group]
    for size in range(len(able), 0, -1):
        for more in combinations(able, size):
            if sum(after[node] // group for node in more) * group >= rest:
                yield _unlike(list(_less(after, more, rest, group).values())), _Plan(nodes, each, more)


def _less(after: Mapping[int, int], more: Sequence[int], rest: int, group: int) -> dict[int, int]:
    found = dict(after)
    while rest > 0:
        for node in more:
            if rest > 0 and found[node] >= group:
                found[node] -= group
                rest -= group
    return found


def _unlike(amounts: Sequence[int]) -> float:
    """The standard deviation; what differs by less than a thousandth is the same."""
    mean = round(sum(amounts) / len(amounts), 3)
    return round(sqrt(sum((amount - mean) ** 2 for amount in amounts) / len(amounts)), 3)
