"""NodeName: a pod that names its node runs nowhere else. Upstream: plugins/nodename."""

from collections.abc import Hashable

import numpy as np

from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.columns import Bools
from pilothouse.scheduler.framework import Plugin, Refusal
from pilothouse.scheduler.nodes import NodeInfo, Nodes
from pilothouse.scheduler.pod_info import PodInfo

_OTHER = Refusal(("node(s) didn't match the requested node name",), resolvable=False)


class NodeName(Plugin):
    """Compares `spec.nodeName`."""

    name = "NodeName"
    requeue_on = (Change.NODE_ADDED,)
    refusal = _OTHER

    def sort(self, pod: PodInfo) -> Hashable | None:
        """The name."""
        return _wanted(pod)

    def refuse(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        """Refuse any other node."""
        wanted = _wanted(pod)
        return _OTHER if wanted and wanted != node.name else None

    def passes(self, pod: PodInfo, nodes: Nodes) -> Bools | None:
        """The node of that name."""
        wanted = _wanted(pod)
        if not wanted:
            return None
        passing = np.zeros(nodes.columns.rows, dtype=np.bool_)
        node = nodes.get(wanted)
        if node is not None:
            passing[node.row] = True
        return passing

    def helps(self, pod: PodInfo, happened: Happened) -> bool:
        """Only that node helps."""
        return bool(happened.new.metadata.name == _wanted(pod))


def _wanted(pod: PodInfo) -> str:
    return (pod.pod.raw.get("spec") or {}).get("nodeName") or ""
