"""Which memory of the machine single containers may be bound to.

API page: "Control Memory Management Policies on a Node". Upstream: pkg/kubelet/apis/config/validation/
validation_reserved_memory.go, validateReservedMemory in pkg/kubelet/cm/memorymanager/memory_manager.go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pilothouse.api.machinery.quantity import Quantity, parse_quantity, total
from pilothouse.kubelet.managers.memory_nodes import NodeMemory

NONE, STATIC = "None", "Static"
MEMORY, HUGEPAGES = "memory", "hugepages-"
_BEST_EFFORT = "BestEffort"
_KINDS = f"[{MEMORY} {HUGEPAGES}<HugePageSize>]"
Kept = Mapping[int, Mapping[str, int]]
"""Bytes by NUMA node and kind of memory."""


def is_memory(resource: str) -> bool:
    """Whether a resource is memory of some kind."""
    return resource == MEMORY or resource.startswith(HUGEPAGES)


@dataclass(frozen=True, slots=True)
class NodeReservation:
    """What is kept of one NUMA node's memory: an entry of `reservedMemory`."""

    node: int
    """Upstream: numaNode."""
    limits: Mapping[str, str]
    """Amounts by kind of memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPolicy:
    """Upstream: memoryManagerPolicy and reservedMemory of KubeletConfiguration."""

    policy: str = NONE
    """`Static`: guaranteed containers get their memory from certain NUMA nodes."""
    reserved: tuple[NodeReservation, ...] = field(default=())
    """What is kept for those who are no pods, as much as is reserved for them in all."""

    def __post_init__(self) -> None:
        if self.policy == _BEST_EFFORT:
            raise ValueError(f'policy "{self.policy}" is not available for platform "linux"')
        if self.policy not in (NONE, STATIC):
            raise ValueError(f'unknown policy: "{self.policy}"')
        seen: set[tuple[int, str]] = set()
        for one in self.reserved:
            for name, amount in one.limits.items():
                if why := _wrong(one.node, name, amount, known=(one.node, name) in seen):
                    raise ValueError(f"invalid configuration: {why}")
                seen.add((one.node, name))

    def kept(self, nodes: Sequence[NodeMemory], whole: Mapping[str, Quantity]) -> Kept:
        """What is kept of these nodes, when `whole` is in all. Raises ValueError when it is not the same."""
        found: dict[int, dict[str, int]] = {one.node: {} for one in nodes}
        sums: dict[str, list[Quantity]] = {}
        for one in self.reserved:
            if one.node not in found:
                raise ValueError(
                    f"the reserved memory configuration references a NUMA node {one.node} that does not exist on this "
                    "machine"
                )
            for name, amount in one.limits.items():
                found[one.node][name] = parse_quantity(amount).value()
                sums.setdefault(name, []).append(parse_quantity(amount))
        for name in sorted({*sums, *filter(is_memory, whole)}):
            mine, theirs = total(sums.get(name, ())), whole.get(name, total(()))
            if mine != theirs:
                raise ValueError(
                    f'the total amount "{mine}" of type "{name}" is not equal to the value "{theirs}" determined by '
                    "Node Allocatable feature"
                )
        if not any(each.get(MEMORY) for each in found.values()):
            raise ValueError("[memorymanager] you should specify the system reserved memory")
        return found


def _wrong(node: int, name: str, amount: str, *, known: bool) -> str:
    if not is_memory(name):
        return f'the limit type "{name}" for NUMA node {node} is not supported, only {_KINDS} is accepted'
    if not parse_quantity(amount):
        return f'reserved memory may not be zero for NUMA node {node} and resource "{name}"'
    if known:
        return f'the reserved memory has a duplicate value for NUMA node {node} and resource "{name}"'
    return ""
