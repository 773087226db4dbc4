"""NodeUnschedulable: cordoned nodes take only pods that tolerate it. Upstream: plugins/nodeunschedulable."""

from collections.abc import Hashable

from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.columns import Bools
from pilothouse.scheduler.framework import Plugin, Refusal, node_alone
from pilothouse.scheduler.nodes import NodeInfo, Nodes
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.scheduler.taints import Taint, tolerates

CORDONED = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")
_CORDONED = Refusal(("node(s) were unschedulable",), resolvable=False)


class NodeUnschedulable(Plugin):
    """Looks at `spec.unschedulable`."""

    name = "NodeUnschedulable"
    requeue_on = (Change.NODE_ADDED, Change.NODE_TAINTS, Change.OWN_TOLERATIONS)
    refusal = _CORDONED

    def sort(self, pod: PodInfo) -> Hashable | None:
        """The tolerations."""
        return pod.tolerations

    def refuse(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        """Refuse a cordoned node."""
        return _CORDONED if node.facts.unschedulable and not tolerates(pod.tolerations, CORDONED) else None

    def passes(self, pod: PodInfo, nodes: Nodes) -> Bools | None:
        """The others."""
        return None if tolerates(pod.tolerations, CORDONED) else ~nodes.columns.unschedulable

    def helps(self, pod: PodInfo, happened: Happened) -> bool:
        """A node helps that is not cordoned but was, and so do tolerations."""
        if happened.change is Change.OWN_TOLERATIONS:
            return tolerates(PodInfo.of(happened.new).tolerations, CORDONED)
        if happened.old is not None and not happened.old.spec.unschedulable:
            return False
        return self.refuse(pod, node_alone(happened.new)) is None
