"""NodeResourcesBalancedAllocation: better where CPU and memory are then used in equal shares.

What counts is the change that the pod makes: a pod that mends an imbalance is welcome. Upstream: plugins/noderesources.
"""

import numpy as np
from numpy.typing import NDArray

from pilothouse.scheduler.columns import Columns, Ints
from pilothouse.scheduler.framework import MAX_SCORE, Plugin
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.pod_info import CPU, MEMORY, PodInfo, Units


class NodeResourcesBalancedAllocation(Plugin):
    """Compares the shares of CPU and memory that are requested."""

    name = "NodeResourcesBalancedAllocation"

    def score(self, pod: PodInfo, nodes: Nodes, rows: Ints) -> Ints | None:
        """How much more balanced the node is with the pod than without; no opinion on pods that request nothing."""
        if not pod.requests.get(CPU) and not pod.requests.get(MEMORY):
            return None
        half = MAX_SCORE // 2
        gained = balance(nodes.columns, rows, pod.requests) - balance(nodes.columns, rows, {})
        scores: Ints = half + (half + gained) // 2
        return scores


def balance(columns: Columns, rows: Ints, more: Units) -> Ints:
    """100 where both are used in equal shares, down to 50 where one is used up and the other free."""
    shares = [_share(columns, rows, name, more.get(name, 0)) for name in (CPU, MEMORY)]
    deviation = np.abs(shares[0] - shares[1]) / 2
    both = np.ones(len(rows), dtype=np.bool_)
    for name in (CPU, MEMORY):
        both &= columns.resource(columns.allocatable, name)[rows] > 0
    scores: Ints = ((1 - np.where(both, deviation, 0.0)) * MAX_SCORE).astype(np.int64)
    return scores


def _share(columns: Columns, rows: Ints, name: str, more: int) -> NDArray[np.float64]:
    offered = columns.resource(columns.allocatable, name)[rows]
    used = columns.resource(columns.requested, name)[rows] + more
    share: NDArray[np.float64] = np.minimum(used / np.maximum(offered, 1), 1.0)
    return share
