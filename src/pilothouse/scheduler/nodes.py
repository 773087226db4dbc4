"""Nodes: the scheduler's own picture of every node and the pods on it, ahead of what the API server knows.

A pod is assumed to be on its node from the moment that is decided, so that the next decision counts with it; when
binding fails it is forgotten. The informer's word replaces what was assumed. A nomination is weaker: room on a node
was made for a pod, or is asked for, but it has not come. Each fact is kept twice, as plain numbers
in NodeInfo for questions about one node, and in the columns for questions about all. Upstream:
pkg/scheduler/backend/cache.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pilothouse.api.core.pod.resources import amounts
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.scheduler.columns import Columns, NodeFacts
from pilothouse.scheduler.pod_info import HostPort, PodInfo, Units, units
from pilothouse.scheduler.taints import Taint


@dataclass(slots=True)
class NodeInfo:
    """One node and its pods."""

    name: str
    row: int = -1
    """Where it is in the columns; -1 as long as only its pods are known."""
    node: Node = field(default_factory=Node)
    facts: NodeFacts = field(default_factory=NodeFacts)
    requested: Units = field(default_factory=dict)
    non_zero: Units = field(default_factory=dict)
    ports: dict[HostPort, int] = field(default_factory=dict)
    """How many pods hold each port."""
    pods: dict[str, PodInfo] = field(default_factory=dict)

    def read(self, node: Node) -> None:
        """Take over what a node says of itself."""
        self.node = node
        self.facts = read_facts(node)

    @property
    def labels(self) -> Mapping[str, str]:
        """The node's labels."""
        return self.facts.labels

    def having(self, more: Iterable[PodInfo] = (), less: Iterable[PodInfo] = ()) -> "NodeInfo":
        """A copy with more pods, or without some."""
        copied = NodeInfo(
            self.name, self.row, self.node, self.facts, dict(self.requested), dict(self.non_zero), dict(self.ports),
            dict(self.pods),
        )  # fmt: skip
        for pod in more:
            copied.put(pod)
        for pod in less:
            copied.take(pod)
        return copied

    def put(self, pod: PodInfo) -> None:
        """A pod has come."""
        self.pods[pod.uid] = pod
        self._count(pod, 1)

    def take(self, pod: PodInfo) -> None:
        """A pod has gone."""
        del self.pods[pod.uid]
        self._count(pod, -1)

    def _count(self, pod: PodInfo, sign: int) -> None:
        for sums, more in ((self.requested, pod.requests), (self.non_zero, pod.non_zero)):
            for name, amount in more.items():
                sums[name] = sums.get(name, 0) + sign * amount
        for port in pod.ports:
            held = self.ports.get(port, 0) + sign
            if held:
                self.ports[port] = held
            else:
                self.ports.pop(port, None)


def read_facts(node: Node) -> NodeFacts:
    """What a node says of itself."""
    raw = node.raw
    spec, status = raw.get("spec") or {}, raw.get("status") or {}
    taints = [
        Taint(one.get("key") or "", one.get("value") or "", one.get("effect") or "") for one in spec.get("taints") or ()
    ]
    offered = amounts({"requests": status.get("allocatable")}, "requests")
    images = {name: one.get("sizeBytes") or 0 for one in status.get("images") or () for name in one.get("names") or ()}
    return NodeFacts(
        (raw.get("metadata") or {}).get("labels") or {}, tuple(taints), bool(spec.get("unschedulable")),
        {name: units(name, amount) for name, amount in offered.items()}, images,
    )  # fmt: skip


class Nodes:
    """All nodes, by name and by row."""

    def __init__(self) -> None:
        self.columns = Columns()
        self._by_name: dict[str, NodeInfo] = {}
        self._by_row: list[NodeInfo | None] = []
        self._free: list[int] = []
        self._pods: dict[str, PodInfo] = {}
        self._assumed: dict[str, None] = {}
        self._alive = 0
        self._holders: dict[tuple[str, int], dict[str, int]] = {}
        self.nominations: dict[str, dict[str, PodInfo]] = {}
        """Pods without a node for which there is, or will be, room: by node, then by uid."""
        self._nominated: dict[str, str] = {}
        self._priorities: dict[int, int] = {}

    def __len__(self) -> int:
        """How many nodes there are."""
        return self._alive

    def __iter__(self) -> Iterator[NodeInfo]:
        return (info for info in self._by_row if info is not None)

    def get(self, name: str) -> NodeInfo | None:
        """The node of this name, if it exists."""
        info = self._by_name.get(name)
        return info if info is not None and info.row >= 0 else None

    def at(self, row: int) -> NodeInfo:
        """The node in this row."""
        info = self._by_row[row]
        if info is None:
            raise LookupError(f"row {row} is empty")
        return info

    def holding(self, protocol: str, port: int) -> list[NodeInfo]:
        """The nodes where a pod holds this port, on whatever address."""
        return [self._by_name[name] for name in self._holders.get((protocol, port), ())]

    def set_node(self, node: Node) -> NodeInfo:
        """A node has come or changed."""
        info = self._info(node.metadata.name)
        if info.row < 0:
            info.row = self._take_row(info)
            self.columns.write_use(info.row, info.requested, info.non_zero)
        info.read(node)
        self.columns.write_node(info.row, info.facts)
        return info

    def remove_node(self, name: str) -> None:
        """A node has gone; its pods are remembered until they are gone too."""
        info = self.get(name)
        if info is None:
            return
        self.columns.clear(info.row)
        self._by_row[info.row] = None
        self._free.append(info.row)
        self._alive -= 1
        info.row, info.node = -1, Node()
        self._drop(info)

    def assume(self, pod: PodInfo, name: str) -> None:
        """Count with a pod on a node before the API server knows."""
        pod.node_name = name
        self.set_pod(pod)
        self._assumed[pod.uid] = None

    def forget(self, uid: str) -> None:
        """It will not be there after all."""
        if uid in self._assumed:
            self.remove_pod(uid)

    def is_assumed(self, uid: str) -> bool:
        """Whether a pod is counted that the API server has not confirmed."""
        return uid in self._assumed

    def set_pod(self, pod: PodInfo) -> None:
        """A pod is on a node, or has changed there."""
        self.remove_pod(pod.uid)
        self._pods[pod.uid] = pod
        self._count(self._info(pod.node_name), pod, 1)

    def read_pod(self, pod: Pod) -> None:
        """Take over what the API server says of a pod that is on a node."""
        known = self._pods.get(pod.metadata.uid)
        if known is None or known.node_name != pod.spec.nodeName or not known.take_over(pod):
            self.set_pod(PodInfo.of(pod))
            return
        self._assumed.pop(known.uid, None)

    def has_lesser(self, priority: int) -> bool:
        """Whether any pod on any node is less important."""
        return any(one < priority for one in self._priorities)

    def nominate(self, pod: PodInfo, name: str) -> None:
        """Count on a pod to come to a node; no name takes that back."""
        self.drop_claim(pod.uid)
        pod.nominated = name
        if name:
            self._nominated[pod.uid] = name
            self.nominations.setdefault(name, {})[pod.uid] = pod

    def drop_claim(self, uid: str) -> bool:
        """Count on a pod no more. Returns whether we did."""
        name = self._nominated.pop(uid, "")
        if not name:
            return False
        del self.nominations[name][uid]
        if not self.nominations[name]:
            del self.nominations[name]
        return True

    def nominated(self, name: str, beside: PodInfo) -> list[PodInfo]:
        """The pods that have a claim to a node which another pod must respect."""
        claims = self.nominations.get(name, {}).values()
        return [one for one in claims if one.priority >= beside.priority and one.uid != beside.uid]

    def remove_pod(self, uid: str) -> None:
        """A pod has gone, or never came."""
        self._assumed.pop(uid, None)
        pod = self._pods.pop(uid, None)
        if pod is None:
            return
        info = self._by_name[pod.node_name]
        self._count(info, pod, -1)
        self._drop(info)

    def _count(self, info: NodeInfo, pod: PodInfo, sign: int) -> None:
        if sign > 0:
            info.put(pod)
        else:
            info.take(pod)
        alike = self._priorities.get(pod.priority, 0) + sign
        if alike:
            self._priorities[pod.priority] = alike
        else:
            del self._priorities[pod.priority]
        for port in pod.ports:
            holders = self._holders.setdefault((port.protocol, port.port), {})
            holders[info.name] = holders.get(info.name, 0) + sign
            if not holders[info.name]:
                del holders[info.name]
        if info.row >= 0:
            self.columns.add_use(info.row, pod.requests, pod.non_zero, sign)

    def _info(self, name: str) -> NodeInfo:
        info = self._by_name.get(name)
        if info is None:
            info = self._by_name[name] = NodeInfo(name)
        return info

    def _drop(self, info: NodeInfo) -> None:
        """Let go of a node that does not exist and has no pods."""
        if info.row < 0 and not info.pods:
            self._by_name.pop(info.name, None)

    def _take_row(self, info: NodeInfo) -> int:
        self._alive += 1
        if self._free:
            row = self._free.pop()
            self._by_row[row] = info
            return row
        self._by_row.append(info)
        self.columns.grow(len(self._by_row))
        return len(self._by_row) - 1
