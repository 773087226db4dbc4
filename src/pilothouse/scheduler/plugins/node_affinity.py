"""NodeAffinity: a pod says which nodes will do, and which it likes, by their labels.

API page: Assigning Pods to Nodes. Upstream: plugins/nodeaffinity.
"""

from collections.abc import Hashable
from typing import cast

import numpy as np

from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.columns import Bools, Ints
from pilothouse.scheduler.framework import Only, Plugin, Refusal, node_alone, normalized
from pilothouse.scheduler.node_selectors import Term, Wanted, preferences
from pilothouse.scheduler.nodes import NodeInfo, Nodes
from pilothouse.scheduler.pod_info import PodInfo

_OTHER = Refusal(("node(s) didn't match Pod's node affinity/selector",), resolvable=False)
_ANYTHING = Wanted()
_CONFLICT = Refusal(("pod affinity terms conflict",), resolvable=False)


class NodeAffinity(Plugin):
    """Compares `nodeSelector` and `affinity.nodeAffinity` with a node's labels and name."""

    name = "NodeAffinity"
    weight = 2
    requeue_on = (Change.NODE_ADDED, Change.NODE_LABELS)
    refusal = _OTHER

    def begin(self, pod: PodInfo, nodes: Nodes) -> Refusal | Only | None:  # noqa: ARG002 - a hook
        """Look only at the nodes that are named, if all terms name some."""
        only = _wanted(pod).only
        if only is None:
            return None
        return Only(only) if only else _CONFLICT

    def sort(self, pod: PodInfo) -> Hashable | None:
        """What is wanted, unless nodes are named: few pods share that."""
        wanted = _wanted(pod)
        return None if wanted.only is not None else wanted

    def refuse(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        """Refuse a node that is not wanted."""
        return None if _wanted(pod).matches(node) else _OTHER

    def passes(self, pod: PodInfo, nodes: Nodes) -> Bools | None:
        """The nodes that are wanted."""
        wanted = _wanted(pod)
        return None if wanted.anything else wanted.where(nodes)

    def compares(self, pod: PodInfo, nodes: Nodes) -> bool:  # noqa: ARG002 - a hook
        """Whether it prefers anything."""
        return bool(_preferred(pod))

    def score(self, pod: PodInfo, nodes: Nodes, rows: Ints) -> Ints | None:
        """The weights of the preferred terms that match."""
        preferred = _preferred(pod)
        if not preferred:
            return None
        total = np.zeros(len(rows), dtype=np.int64)
        for weight, term in preferred:
            total += weight * term.where(nodes)[rows]
        return normalized(total)

    def helps(self, pod: PodInfo, happened: Happened) -> bool:
        """A node helps that is wanted, if it was not before."""
        wanted = _wanted(pod)
        if not wanted.matches(node_alone(happened.new)):
            return False
        return happened.old is None or not wanted.matches(node_alone(happened.old))


def _wanted(pod: PodInfo) -> Wanted:
    spec = pod.pod.raw.get("spec") or {}
    if not spec.get("nodeSelector") and not spec.get("affinity"):
        return _ANYTHING
    found = pod.remembered.get("NodeAffinity")
    if found is None:
        found = pod.remembered["NodeAffinity"] = Wanted.of(spec)
    return cast("Wanted", found)


def _preferred(pod: PodInfo) -> tuple[tuple[int, Term], ...]:
    spec = pod.pod.raw.get("spec") or {}
    if not spec.get("affinity"):
        return ()
    found = pod.remembered.get("NodeAffinity preferred")
    if found is None:
        found = pod.remembered["NodeAffinity preferred"] = preferences(spec)
    return cast("tuple[tuple[int, Term], ...]", found)
