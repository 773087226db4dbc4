"""NodeResourcesBalancedAllocation: better where CPU and memory are then used in equal shares.

What counts is the change that the pod makes: a pod that mends an imbalance is welcome. Upstream: plugins/noderesources.
"""

from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

from pilothouse.scheduler.columns import Bools, Ints
from pilothouse.scheduler.framework import MAX_SCORE, Plugin
from pilothouse.scheduler.nodes import NodeInfo, Nodes
from pilothouse.scheduler.pod_info import CPU, MEMORY, PodInfo

Shares = NDArray[np.float64]
_HALF = MAX_SCORE // 2


class NodeResourcesBalancedAllocation(Plugin):
    """Compares the shares of CPU and memory that are requested."""

    name = "NodeResourcesBalancedAllocation"
    by_use = True

    def sort(self, pod: PodInfo) -> Hashable | None:
        """CPU and memory."""
        return pod.requests.get(CPU, 0), pod.requests.get(MEMORY, 0)

    def rate(self, pod: PodInfo, node: NodeInfo) -> int:
        """How much more balanced the node is with the pod than without."""
        cpu, memory = pod.requests.get(CPU, 0), pod.requests.get(MEMORY, 0)
        if not cpu and not memory:
            return 0
        cpus, bytes_ = node.facts.allocatable.get(CPU, 0), node.facts.allocatable.get(MEMORY, 0)
        if cpus <= 0 or bytes_ <= 0:
            return _HALF + _HALF // 2
        used, held = node.requested.get(CPU, 0), node.requested.get(MEMORY, 0)
        before = abs(min(used / cpus, 1.0) - min(held / bytes_, 1.0)) / 2
        after = abs(min((used + cpu) / cpus, 1.0) - min((held + memory) / bytes_, 1.0)) / 2
        return _HALF + (_HALF + int((1 - after) * MAX_SCORE) - int((1 - before) * MAX_SCORE)) // 2

    def rates(self, pod: PodInfo, nodes: Nodes) -> Ints | None:
        """The same for all; no opinion on pods that request nothing."""
        if not pod.requests.get(CPU) and not pod.requests.get(MEMORY):
            return None
        columns = nodes.columns
        offered = [columns.resource(columns.allocatable, name) for name in (CPU, MEMORY)]
        used = [columns.resource(columns.requested, name) for name in (CPU, MEMORY)]
        more = [pod.requests.get(name, 0) for name in (CPU, MEMORY)]
        both = (offered[0] > 0) & (offered[1] > 0)
        before = [_share(some, of) for some, of in zip(used, offered, strict=True)]
        after = [_share(some + wanted, of) for some, wanted, of in zip(used, more, offered, strict=True)]
        gained = balance(after[0], after[1], both) - balance(before[0], before[1], both)
        scores: Ints = _HALF + ((_HALF + gained) >> 1)
        return scores


def balance(one: Shares, other: Shares, both: Bools) -> Ints:
    """100 where both are used in equal shares, or only one is offered; down to 50 where one is used up, one unused."""
    scores: Ints = ((1 - np.abs(one - other) / 2 * both) * MAX_SCORE).astype(np.int64)
    return scores


def _share(used: Ints, offered: Ints) -> Shares:
    return np.minimum(used / np.maximum(offered, 1), 1.0)
