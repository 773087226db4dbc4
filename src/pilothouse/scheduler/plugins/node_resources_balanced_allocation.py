"""NodeResourcesBalancedAllocation: better where CPU and memory are then used in equal shares.

What counts is the change that the pod makes: a pod that mends an imbalance is welcome. Upstream: plugins/noderesources.
"""

import numpy as np
from numpy.typing import NDArray

from pilothouse.scheduler.columns import Bools, Ints
from pilothouse.scheduler.framework import MAX_SCORE, Plugin
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.pod_info import CPU, MEMORY, PodInfo

Shares = NDArray[np.float64]


class NodeResourcesBalancedAllocation(Plugin):
    """Compares the shares of CPU and memory that are requested."""

    name = "NodeResourcesBalancedAllocation"

    def score(self, pod: PodInfo, nodes: Nodes, rows: Ints) -> Ints | None:
        """How much more balanced the node is with the pod than without; no opinion on pods that request nothing."""
        if not pod.requests.get(CPU) and not pod.requests.get(MEMORY):
            return None
        columns = nodes.columns
        offered = [columns.resource(columns.allocatable, name)[rows] for name in (CPU, MEMORY)]
        used = [columns.resource(columns.requested, name)[rows] for name in (CPU, MEMORY)]
        more = [pod.requests.get(name, 0) for name in (CPU, MEMORY)]
        both = (offered[0] > 0) & (offered[1] > 0)
        before = [_share(some, of) for some, of in zip(used, offered, strict=True)]
        after = [_share(some + wanted, of) for some, wanted, of in zip(used, more, offered, strict=True)]
        half = MAX_SCORE // 2
        gained = balance(after[0], after[1], both) - balance(before[0], before[1], both)
        scores: Ints = half + ((half + gained) >> 1)
        return scores


def balance(one: Shares, other: Shares, both: Bools) -> Ints:
    """100 where both are used in equal shares, or only one is offered; down to 50 where one is used up, one unused."""
    scores: Ints = ((1 - np.abs(one - other) / 2 * both) * MAX_SCORE).astype(np.int64)
    return scores


def _share(used: Ints, offered: Ints) -> Shares:
    return np.minimum(used / np.maximum(offered, 1), 1.0)
