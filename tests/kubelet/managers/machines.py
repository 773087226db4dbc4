"""Made-up machines."""

from collections.abc import Mapping

from pilothouse.kubelet.managers.memory_ledger import Ledger, untouched
from pilothouse.kubelet.managers.memory_nodes import NodeMemory
from pilothouse.kubelet.managers.topology import Cpu, Topology


def machine(
    sockets: int = 1, cores: int = 4, threads: int = 1, nodes: int | None = None, caches: int | None = None
) -> Topology:
    """`cores` a socket. Ids run over all cores first, as x86 has it; `nodes` and `caches` in all, or one a socket."""
    every, nodes, caches = sockets * cores, sockets if nodes is None else nodes, sockets if caches is None else caches
    return Topology(tuple(
        Cpu(thread * every + core, core, core // cores, core * nodes // every, core * caches // every)
        for thread in range(threads) for core in range(every)
    ))  # fmt: skip


GI = 2**30


def memory(*sizes: int, pages: Mapping[int, int] | None = None) -> tuple[NodeMemory, ...]:
    """NUMA nodes of so many GiB, all with the same huge pages."""
    return tuple(NodeMemory(node, size * GI, pages or {}) for node, size in enumerate(sizes))


def ledger(*sizes: int, kept: int = 0, pages: Mapping[int, int] | None = None) -> Ledger:
    """Of such nodes, `kept` GiB being kept of the first."""
    return untouched(memory(*sizes, pages=pages), {0: {"memory": kept * GI}})
