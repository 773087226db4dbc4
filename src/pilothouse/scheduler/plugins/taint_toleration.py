"""TaintToleration: nodes repel pods that do not tolerate their taints, or would rather not have them.

API page: Taints and Tolerations. Upstream: plugins/tainttoleration.
"""

from collections.abc import Hashable

import numpy as np

from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.columns import Bools, Ints
from pilothouse.scheduler.framework import Plugin, Refusal, node_alone, normalized
from pilothouse.scheduler.nodes import NodeInfo, Nodes
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.scheduler.taints import repelled, unwanted

_UNTOLERATED = Refusal(("node(s) had untolerated taint(s)",), resolvable=False)


class TaintToleration(Plugin):
    """Compares a node's taints with the pod's tolerations."""

    name = "TaintToleration"
    weight = 3
    requeue_on = (Change.NODE_ADDED, Change.NODE_TAINTS, Change.OWN_TOLERATIONS)
    refusal = _UNTOLERATED

    def sort(self, pod: PodInfo) -> Hashable | None:
        """The tolerations."""
        return pod.tolerations

    def refuse(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        """Refuse a node with a taint that is not tolerated."""
        return _UNTOLERATED if repelled(pod.tolerations, node.facts.taints) else None

    def passes(self, pod: PodInfo, nodes: Nodes) -> Bools | None:
        """Ask once for each set of taints that nodes have."""
        columns = nodes.columns
        refused = [repelled(pod.tolerations, taints) for taints in columns.taint_sets]
        if not any(refused):
            return None
        passing: Bools = ~np.array(refused, dtype=np.bool_)[columns.taints]
        return passing

    def compares(self, pod: PodInfo, nodes: Nodes) -> bool:
        """Whether taints ask anybody to stay away."""
        return any(unwanted(pod.tolerations, taints) for taints in nodes.columns.taint_sets)

    def score(self, pod: PodInfo, nodes: Nodes, rows: Ints) -> Ints | None:
        """The fewer taints ask to stay away, the better."""
        columns = nodes.columns
        counts = [unwanted(pod.tolerations, taints) for taints in columns.taint_sets]
        if not any(counts):
            return None
        return normalized(np.array(counts, dtype=np.int64)[columns.taints[rows]], reverse=True)

    def helps(self, pod: PodInfo, happened: Happened) -> bool:
        """A node helps whose taints are tolerated and were not before; so may new tolerations."""
        if happened.change is Change.OWN_TOLERATIONS:
            return True
        if self.refuse(pod, node_alone(happened.new)) is not None:
            return False
        return happened.old is None or self.refuse(pod, node_alone(happened.old)) is not None
