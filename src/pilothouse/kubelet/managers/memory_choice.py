"""Which NUMA nodes a container may have its memory from: pure.

Every kind of memory that it asks for is to come from the same nodes.
Upstream: calculateHints, extendTopologyManagerHint, findBestHint in pkg/kubelet/cm/memorymanager/policy_static.go.
"""

from collections.abc import Callable, Mapping, Sequence

from pilothouse.kubelet.managers.hints import Hint, Nodes, Unavailable, node_sets
from pilothouse.kubelet.managers.memory_ledger import Ledger, fits

Asked = Mapping[str, int]
"""Bytes by kind."""
Spare = Callable[[Nodes, str], int]
"""How much the pod's init containers leave to its others, by the nodes that they have it from and kind."""


def possible(ledger: Ledger, asked: Asked, spare: Spare) -> list[Hint]:
    """The sets of nodes that have it; preferred if of the size that would do were all free."""
    found: list[Nodes] = []
    smallest = len(ledger)
    for nodes in node_sets(sorted(ledger)):
        listed = tuple(sorted(nodes))
        if any(sum(ledger[node].allocatable(kind) for node in nodes) < size for kind, size in asked.items()):
            continue
        smallest = min(smallest, len(nodes))
        if fits(ledger, listed) and all(
            _free(ledger, listed, kind) + spare(nodes, kind) >= size for kind, size in asked.items()
        ):
            found.append(nodes)
    return [Hint(nodes, len(nodes) == smallest) for nodes in found]


def choose(ledger: Ledger, asked: Asked, spare: Spare, affinity: Nodes | None, *, preferred: bool) -> tuple[int, ...]:
    """The nodes for a container that is bound to `affinity`, or free; with `preferred`, to no wider ones than needed.

    Raises Unavailable.
    """
    nodes = affinity & ledger.keys() if affinity is not None else None
    if nodes is None:
        every = possible(ledger, asked, spare)
        if not every:
            raise _error("failed to get the default NUMA affinity, no NUMA nodes with enough memory is available")
        nodes = _best(every, "default", preferred=preferred)
    if any(_free(ledger, sorted(nodes), kind) < size for kind, size in asked.items()):
        wider = [one for one in possible(ledger, asked, spare) if one.nodes is not None and nodes <= one.nodes]
        if not wider:
            raise _error("failed to find NUMA nodes to extend the current topology hint")
        nodes = _best(wider, "extended", preferred=preferred)
    chosen = tuple(sorted(nodes))
    if len(chosen) > 1 and not fits(ledger, chosen):
        raise _error("preferred hint violates NUMA node allocation")
    return chosen


def _best(hints: Sequence[Hint], what: str, *, preferred: bool) -> Nodes:
    """Raises Unavailable."""
    best = min(hints, key=_rank)
    if preferred and not best.preferred:
        raise _error(f"failed to find the {what} preferred hint")
    return best.nodes or frozenset()


def _rank(hint: Hint) -> tuple[bool, int, int]:
    nodes = hint.nodes or frozenset()
    return not hint.preferred, len(nodes), sum(1 << node for node in nodes)


def _free(ledger: Ledger, nodes: Sequence[int], kind: str) -> int:
    return sum(ledger[node].free(kind) for node in nodes if node in ledger)


def _error(message: str) -> Unavailable:
    return Unavailable(f"[memorymanager] {message}")
