"""Has who wants some processors get those that share a cache, as far as there are such: pure.

The option `prefer-align-cpus-by-uncorecache` (KEP-4800): whole caches while as many are missing, then the rest from a
cache that has it. Upstream: takeUncoreCache in pkg/kubelet/cm/cpumanager/cpu_assignment.go.
"""

from collections.abc import Collection, Sequence
from operator import attrgetter

from pilothouse.kubelet.managers.cpu_choice import CACHE, NODE, SOCKET, Key, left, levels, pieces, take_whole
from pilothouse.kubelet.managers.cpu_list import Cpus
from pilothouse.kubelet.managers.topology import Cpu, Topology


def by_cache(topology: Topology, available: Collection[int], count: int) -> Cpus:
    """What can be had so; none when nothing is missing."""
    taken: set[int] = set()
    if not count:
        return frozenset()
    keys: Sequence[Key] = (NODE, CACHE) if levels(topology)[0] is NODE else (SOCKET, NODE, CACHE)
    order = [piece[0].cache for piece in pieces(left(topology, available, taken), keys)]
    if count >= len(topology.cpus) // topology.caches:
        take_whole(topology, available, count, taken, keys)
    for cache in order:
        free = [cpu for cpu in left(topology, available, taken) if cpu.cache == cache]
        part = _part(free, count - len(taken), topology.threads) if len(taken) < count else []
        if part:
            return frozenset((*taken, *part))
    return frozenset(taken)


def _part(free: Sequence[Cpu], missing: int, threads: int) -> list[int]:
    """All that is missing, from as few cores of one cache as can be; nothing when it does not have that."""
    cores = sorted({cpu.core for cpu in free})[: -(-missing // threads)]
    found = [cpu.id for cpu in sorted(free, key=attrgetter("id")) if cpu.core in cores]
    if missing % 2 and threads > 1 and len(found) > missing:
        found.pop()
    return found if len(found) == missing else []
