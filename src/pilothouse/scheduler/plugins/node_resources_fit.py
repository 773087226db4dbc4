"""NodeResourcesFit: a pod runs where what it requests is free; among such nodes the emptiest is the best.

What is free is what the node offers less what its pods request, whether they use it or not. Scoring is upstream's
default, LeastAllocated over CPU and memory. Upstream: plugins/noderesources.
"""

from collections.abc import Hashable

import numpy as np

from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.columns import Bools, Columns, Ints
from pilothouse.scheduler.framework import MAX_SCORE, Diagnosis, Plugin, Refusal, node_alone
from pilothouse.scheduler.nodes import NodeInfo, Nodes
from pilothouse.scheduler.pod_info import CPU, MEMORY, PODS, PodInfo

SCORED = (CPU, MEMORY)


def reason(resource: str) -> str:
    """What a node says that has too little of it."""
    return "Too many pods" if resource == PODS else f"Insufficient {resource}"


def free(columns: Columns, resource: str) -> Ints:
    """How much of a resource each node has left."""
    return columns.resource(columns.allocatable, resource) - columns.resource(columns.requested, resource)


class NodeResourcesFit(Plugin):
    """Compares requests with what is free."""

    name = "NodeResourcesFit"
    by_use = True
    requeue_on = (
        Change.NODE_ADDED, Change.NODE_ALLOCATABLE, Change.POD_DELETED, Change.POD_SCALED_DOWN, Change.OWN_SCALED_DOWN,
    )  # fmt: skip

    def sort(self, pod: PodInfo) -> Hashable | None:
        """All amounts."""
        return *pod.requests.items(), *pod.non_zero.values()

    def refuse(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        """Refuse a node that has too little of anything."""
        lacking = [
            name
            for name, amount in pod.requests.items()
            if amount > node.facts.allocatable.get(name, 0) - node.requested.get(name, 0)
        ]
        if not lacking:
            return None
        never = any(pod.requests[name] > node.facts.allocatable.get(name, 0) for name in lacking if name != PODS)
        return Refusal(tuple(reason(name) for name in lacking), resolvable=not never)

    def passes(self, pod: PodInfo, nodes: Nodes) -> Bools | None:
        """The nodes that have enough of everything."""
        passing: Bools | None = None
        for name, amount in pod.requests.items():
            enough = free(nodes.columns, name) >= amount
            passing = enough if passing is None else np.logical_and(passing, enough, out=passing)
        return passing

    def explain(self, pod: PodInfo, nodes: Nodes, rows: Ints, diagnosis: Diagnosis) -> None:
        """Count for each resource the nodes that lack it."""
        columns = nodes.columns
        never = np.zeros(len(rows), dtype=np.bool_)
        for name, amount in pod.requests.items():
            lacking = free(columns, name)[rows] < amount
            if lacking.any():
                diagnosis.reasons[reason(name)] += int(lacking.sum())
            if name != PODS:
                never |= columns.resource(columns.allocatable, name)[rows] < amount
        diagnosis.add(self, rows[~never], Refusal(()))

    def rate(self, pod: PodInfo, node: NodeInfo) -> int:
        """The mean share that would be left of CPU and memory."""
        total = counted = 0
        for name in SCORED:
            offered = node.facts.allocatable.get(name, 0)
            if offered > 0:
                left = offered - node.non_zero.get(name, 0) - pod.non_zero[name]
                total += max(left, 0) * MAX_SCORE // offered
                counted += 1
        return total // max(counted, 1)

    def rates(self, pod: PodInfo, nodes: Nodes) -> Ints | None:
        """The same for all."""
        columns = nodes.columns
        total = np.zeros(columns.rows, dtype=np.int64)
        counted = np.zeros(columns.rows, dtype=np.int64)
        for name in SCORED:
            offered = columns.resource(columns.allocatable, name)
            left = offered - columns.resource(columns.non_zero, name) - pod.non_zero[name]
            some = offered > 0
            total += np.maximum(left, 0) * MAX_SCORE // np.maximum(offered, 1) * some
            counted += some
        found: Ints = total // np.maximum(counted, 1)
        return found

    def helps(self, pod: PodInfo, happened: Happened) -> bool:
        """A node helps that is large enough, and was not or offers more of what is wanted; so may the end of a pod."""
        if happened.change not in (Change.NODE_ADDED, Change.NODE_ALLOCATABLE):
            return True
        now = node_alone(happened.new)
        if self.refuse(pod, now) is not None:
            return False
        if happened.old is None:
            return True
        before = node_alone(happened.old)
        return self.refuse(pod, before) is not None or any(
            now.facts.allocatable.get(name, 0) > before.facts.allocatable.get(name, 0) for name in pod.requests
        )
