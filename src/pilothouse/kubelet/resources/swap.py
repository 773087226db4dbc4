"""How much of the machine's swap a container may use: none, or of a burstable pod's share (KEP-2400). Pure.

A container with a request for memory gets as much of the swap as it asks for of the memory. Critical pods, guaranteed
ones and those that ask for nothing stay in memory, and so do all with control groups of version 1.
"""

from dataclasses import dataclass

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.critical import is_critical
from pilothouse.kubelet.resources.linux import container_limits, container_memory
from pilothouse.kubelet.resources.qos import BURSTABLE, qos_class

NO_SWAP, LIMITED_SWAP = "NoSwap", "LimitedSwap"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapPolicy:
    """Upstream: memorySwap of KubeletConfiguration."""

    behavior: str = NO_SWAP
    """Or `LimitedSwap`."""

    def __post_init__(self) -> None:
        if self.behavior not in ("", NO_SWAP, LIMITED_SWAP):
            told = f'memorySwap.swapBehavior "{self.behavior}" must be one of: "", "{LIMITED_SWAP}" or "{NO_SWAP}"'
            raise ValueError(f"invalid configuration: {told}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapFacts:
    """What of it depends on the node."""

    policy: SwapPolicy = SwapPolicy()
    counted: bool = False
    """The kernel limits it."""
    v2: bool = False
    total: int = 0
    """Bytes of swap that there are."""
    memory: int = 0
    """Bytes of memory."""


def swap_limits(pod: Pod, container: Container, facts: SwapFacts) -> JsonObject:
    """What the runtime is told of it: with version 1, memory and swap together; with version 2 a file's content."""
    if not facts.counted:
        return {}
    if not facts.v2:
        limit = container_limits(container).memory
        return {"memory_swap_limit_in_bytes": limit} if limit else {}
    return {"unified": {"memory.swap.max": str(_share(pod, container, facts))}}


def _share(pod: Pod, container: Container, facts: SwapFacts) -> int:
    asked, limit = container_memory(container)
    may = facts.policy.behavior == LIMITED_SWAP and not is_critical(pod) and qos_class(pod) == BURSTABLE
    if not may or asked == limit or not asked or asked > facts.memory:
        return 0
    return int(asked / facts.memory * facts.total)
