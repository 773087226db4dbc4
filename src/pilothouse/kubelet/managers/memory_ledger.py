"""How much of each NUMA node's memory is given away: pure arithmetic on a ledger.

A node serves containers that have all their memory from it, or it stands in one group of nodes that serve together;
never both. Upstream: pkg/kubelet/cm/memorymanager/state/state.go, policy_static.go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pilothouse.api.machinery.quantity import QuantityFormat, of_units
from pilothouse.kubelet.managers.memory_nodes import NodeMemory
from pilothouse.kubelet.managers.memory_policy import HUGEPAGES, MEMORY, Kept


@dataclass(slots=True)
class Amounts:
    """Of one kind of memory of one node, in bytes."""

    total: int
    system: int
    """Kept for those who are no pods."""
    allocatable: int
    reserved: int
    """Containers have so much."""
    free: int

    @classmethod
    def of(cls, size: int, system: int, elsewhere: int = 0) -> "Amounts":
        """Nobody has any of it."""
        left = max(size - system - elsewhere, 0)
        return cls(size, system, left, 0, left)


@dataclass(slots=True)
class Place:
    """One NUMA node."""

    assignments: int
    """How many blocks containers have here."""
    kinds: dict[str, Amounts]
    group: tuple[int, ...]
    """The nodes that it serves together with, itself among them."""

    def free(self, kind: str) -> int:
        """How much is left; nothing of what it does not have."""
        return self.kinds[kind].free if kind in self.kinds else 0

    def allocatable(self, kind: str) -> int:
        """How much there would be if nobody had any."""
        return self.kinds[kind].allocatable if kind in self.kinds else 0


@dataclass(frozen=True, slots=True)
class Block:
    """Memory of one kind that a container has."""

    nodes: tuple[int, ...]
    kind: str
    size: int


Ledger = dict[int, Place]
"""By NUMA node."""


def untouched(nodes: Sequence[NodeMemory], kept: Kept) -> Ledger:
    """Of a machine whose containers have nothing yet."""
    return {one.node: Place(0, _kinds(one, kept.get(one.node, {})), (one.node,)) for one in nodes}


def _kinds(one: NodeMemory, kept: Mapping[str, int]) -> dict[str, Amounts]:
    pages = {
        f"{HUGEPAGES}{of_units(size, QuantityFormat.BINARY)}": size * one.hugepages[size] for size in one.hugepages
    }
    found = {kind: Amounts.of(size, kept.get(kind, 0)) for kind, size in pages.items()}
    return {**found, MEMORY: Amounts.of(one.size, kept.get(MEMORY, 0), sum(pages.values()))}


def assign(ledger: Ledger, block: Block, fresh: int) -> None:
    """A container has the block, of which so much is `fresh` from its nodes."""
    for node in block.nodes:
        place = ledger[node]
        place.assignments += 1
        place.group = block.nodes
        if block.kind in place.kinds:
            amounts = place.kinds[block.kind]
            taken = min(amounts.free, fresh)
            amounts.reserved += taken
            amounts.free -= taken
            fresh -= taken


def release(ledger: Ledger, block: Block) -> None:
    """Nobody has the block any more."""
    left = block.size
    for node in block.nodes:
        if (place := ledger.get(node)) is None:
            continue
        place.assignments -= 1
        if not place.assignments:
            place.group = (node,)
        if block.kind in place.kinds:
            amounts = place.kinds[block.kind]
            given = min(amounts.reserved, left)
            amounts.free += given
            amounts.reserved -= given
            left -= given


def fits(ledger: Ledger, nodes: Sequence[int]) -> bool:
    """Whether these may serve a container together, as others are served by them now."""
    alone = len(nodes) == 1
    if alone:
        return len(ledger[nodes[0]].group) == 1
    return all(not ledger[node].assignments or ledger[node].group == tuple(nodes) for node in nodes)


def same(one: Ledger, other: Ledger) -> bool:
    """Whether both tell of the same machine and as much given away; of a group's nodes the sum counts."""
    return one.keys() == other.keys() and all(_same(one, other, node) for node in one)


def _same(one: Ledger, other: Ledger, node: int) -> bool:
    a, b = one[node], other[node]
    if (a.assignments, a.group, a.kinds.keys()) != (b.assignments, b.group, b.kinds.keys()):
        return False
    return all(
        (a.kinds[kind].total, a.kinds[kind].system, a.kinds[kind].allocatable)
        == (b.kinds[kind].total, b.kinds[kind].system, b.kinds[kind].allocatable)
        and _sums(one, a.group, kind) == _sums(other, a.group, kind)
        for kind in a.kinds
    )


def _sums(ledger: Ledger, group: Sequence[int], kind: str) -> tuple[int, int]:
    found = [ledger[node].kinds[kind] for node in group if node in ledger and kind in ledger[node].kinds]
    return sum(one.free for one in found), sum(one.reserved for one in found)
