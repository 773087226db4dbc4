"""NodePorts: two pods cannot have the same port of one node. Upstream: plugins/nodeports."""

from collections.abc import Hashable, Iterable

import numpy as np

from pilothouse.scheduler.changes import Change, Happened
from pilothouse.scheduler.columns import Bools
from pilothouse.scheduler.framework import Plugin, Refusal
from pilothouse.scheduler.nodes import NodeInfo, Nodes
from pilothouse.scheduler.pod_info import ANY_ADDRESS, HostPort, PodInfo

_TAKEN = Refusal(("node(s) didn't have free ports for the requested pod ports",))


def clash(wanted: Iterable[HostPort], held: Iterable[HostPort]) -> bool:
    """Whether a wanted port is among those held; the address for all clashes with each."""
    by_port: dict[tuple[str, int], list[str]] = {}
    for one in held:
        by_port.setdefault((one.protocol, one.port), []).append(one.ip)
    for one in wanted:
        others = by_port.get((one.protocol, one.port), ())
        if others and (one.ip == ANY_ADDRESS or ANY_ADDRESS in others or one.ip in others):
            return True
    return False


class NodePorts(Plugin):
    """Compares host ports with those that pods hold."""

    name = "NodePorts"
    requeue_on = (Change.NODE_ADDED, Change.POD_DELETED)
    refusal = _TAKEN

    def sort(self, pod: PodInfo) -> Hashable | None:
        """Nothing, if there are no ports; else it must be asked."""
        return None if pod.ports else ()

    def refuse(self, pod: PodInfo, node: NodeInfo) -> Refusal | None:
        """Refuse a node where one is taken."""
        return _TAKEN if pod.ports and clash(pod.ports, node.ports) else None

    def passes(self, pod: PodInfo, nodes: Nodes) -> Bools | None:
        """Ask only the nodes where somebody holds such a port."""
        if not pod.ports:
            return None
        passing = np.ones(nodes.columns.rows, dtype=np.bool_)
        for port in pod.ports:
            for node in nodes.holding(port.protocol, port.port):
                if node.row >= 0 and clash((port,), node.ports):
                    passing[node.row] = False
        return passing

    def helps(self, pod: PodInfo, happened: Happened) -> bool:
        """The end of a pod helps that held a wanted port."""
        if happened.change is Change.POD_DELETED:
            return clash(pod.ports, PodInfo.of(happened.old).ports)
        return True
