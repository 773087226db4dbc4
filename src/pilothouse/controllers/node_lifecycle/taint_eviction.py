"""The taint eviction controller: pods leave nodes whose NoExecute taints they do not tolerate, or no longer.

Upstream: pkg/controller/tainteviction. API page: Taints and Tolerations, "Taint based Evictions".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pilothouse.api.machinery.errors import Conflict, NotFound
from pilothouse.api.machinery.taints import NO_EXECUTE, tolerates
from pilothouse.api.machinery.view import JsonObject, View
from pilothouse.api.types.core_v1 import Node, Pod, Taint, Toleration
from pilothouse.client.informer import Informers
from pilothouse.client.key import Key
from pilothouse.controllers.node_lifecycle.pods import BY_NODE, node_of, tell_disruption
from pilothouse.reconcile.controller import EVENTS, Again, Controller, Tools, Watch, rule

_REASON = "TaintManagerEviction"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A pod that will be evicted, and since when that is known."""

    uid: str
    since: float


def patience(tolerations: Sequence[Toleration], taints: Iterable[Taint]) -> float | None:
    """How many seconds a pod stays; None stands for ever. The shortest of the tolerations that apply counts."""
    shortest: float | None = None
    for taint in taints:
        if taint.effect != NO_EXECUTE:
            continue
        first = next((found for found in tolerations if tolerates(found, taint)), None)
        if first is None:
            return 0.0
        if first.tolerationSeconds is not None:
            seconds = max(0.0, float(first.tolerationSeconds))
            shortest = seconds if shortest is None else min(shortest, seconds)
    return shortest


def evicting_taints(node: View | None) -> list[JsonObject]:
    """The NoExecute taints of a node."""
    if not isinstance(node, Node):
        return []
    return [dict(taint.raw) for taint in node.spec.taints if taint.effect == NO_EXECUTE]


def bound(view: View, informers: Informers) -> Iterable[Key]:  # noqa: ARG001 - a KeyFunction
    """A pod that is on a node."""
    return (Key.of(view),) if isinstance(view, Pod) and view.spec.nodeName else ()


class TaintEvictionController(Controller):
    """Evicts pods, in time."""

    name = "taint-eviction-controller"
    identity = "node-controller"
    component = "taint-eviction-controller"
    watches = (Watch(Pod, bound), Watch(Node, lambda _view, _informers: ()))
    rules = (
        rule(("",), ("pods",), ("get", "list", "watch", "delete")),
        rule(("",), ("pods/status",), ("patch",)),
        rule(("",), ("nodes",), ("get", "list", "watch")),
        EVENTS,
    )
    workers = 8

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._sentenced: dict[Key, Sentence] = {}
        tools.informers.of(Pod).add_index(BY_NODE, node_of)

    def observe(self, old: View | None, new: View | None) -> None:
        """The pods of a node whose taints have changed."""
        node = new if isinstance(new, Node) else old
        if isinstance(node, Node) and evicting_taints(old) != evicting_taints(new):
            for pod in self.informers.of(Pod).lister.by_index(BY_NODE, node.metadata.name):
                self.queue.add(Key.of(pod))

    async def reconcile(self, key: Key) -> Again | None:
        """Evict a pod now, later, or not."""
        pod = self.informers.of(Pod).lister.get(key)
        sentence = self._sentenced.get(key)
        if pod is None or (sentence is not None and sentence.uid != pod.metadata.uid):
            self._pardon(key)
        if pod is None or pod.metadata.deletionTimestamp is not None:
            self._sentenced.pop(key, None)
            return None
        node = self.informers.of(Node).lister.get(Key("", pod.spec.nodeName))
        seconds = patience(pod.spec.tolerations, node.spec.taints) if node is not None else None
        if seconds is None:
            if node is not None:
                self._pardon(key)
            return None
        moment = self.clock.monotonic()
        sentence = self._sentenced.setdefault(key, Sentence(pod.metadata.uid, moment))
        left = sentence.since + seconds - moment
        if left > 0:
            return Again(left)
        await self._evict(key, pod)
        return None

    async def _evict(self, key: Key, pod: Pod) -> None:
        self._tell(key, f"Marking for deletion Pod {key}")
        try:
            current = await self.client.get(Pod, key.name, key.namespace)
            if current.metadata.uid == pod.metadata.uid:
                reason, message = "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"
                await tell_disruption(self.client, current, reason, message, self.clock.now())
                await self.client.delete(Pod, key.name, key.namespace, uid=pod.metadata.uid)
        except (NotFound, Conflict):
            self.queue.add_after(key, 1.0)
        self._sentenced.pop(key, None)

    def _pardon(self, key: Key) -> None:
        """It need not go after all."""
        if self._sentenced.pop(key, None) is not None:
            self._tell(key, f"Cancelling deletion of Pod {key}")

    def _tell(self, key: Key, message: str) -> None:
        reference = {"apiVersion": "v1", "kind": "Pod", "name": key.name, "namespace": key.namespace}
        self.events.event(reference, "Normal", _REASON, message)
