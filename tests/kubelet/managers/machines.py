"""Made-up machines."""

from pilothouse.kubelet.managers.topology import Cpu, Topology


def machine(sockets: int = 1, cores: int = 4, threads: int = 1, nodes: int | None = None) -> Topology:
    """`cores` a socket. Ids run over all cores first, as x86 has it; `nodes` in all, one a socket unless said."""
    every, nodes = sockets * cores, sockets if nodes is None else nodes
    return Topology(tuple(
        Cpu(thread * every + core, core, core // cores, core * nodes // every)
        for thread in range(threads) for core in range(every)
    ))  # fmt: skip
