"""Pod garbage collection: deletes pods that nobody else will ever delete.

Those that ended, where there are too many; those on nodes that are gone; those told to end before they had a node, or
on a node that is out of service. Nothing tells us when, so it looks around every twenty seconds.
Upstream: pkg/controller/podgc; API page: Pod Lifecycle, "Garbage collection of Pods".
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pilothouse.api.machinery.conditions import TRUE
from pilothouse.api.machinery.errors import Conflict, NotFound
from pilothouse.api.machinery.taints import OUT_OF_SERVICE
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.client import PatchForm
from pilothouse.client.key import Key
from pilothouse.controllers.node_lifecycle.health import is_ready
from pilothouse.reconcile.controller import Again, Controller, Tools, Watch, nothing, rule
from pilothouse.reconcile.pod_control import all_at_once
from pilothouse.runtime.clock import Instant, format_time
from pilothouse.runtime.log import Log

PERIOD = 20.0
QUARANTINE = 40.0
"""How long a node must be missing before we ask the API server itself."""
TERMINATED_THRESHOLD = 12500
_AT_ONCE = 100
_ENDED = ("Succeeded", "Failed")
_ROUND = Key("", "")
ORPHANED = ("DeletionByPodGC", "PodGC: node no longer exists")
Reason = tuple[str, str]

log = Log(__name__)


@dataclass(frozen=True, slots=True)
class Removal:
    """A pod to delete, and what is said on it of why."""

    pod: Pod
    reason: Reason | None = None


def plan_removals(
    pods: Sequence[Pod], nodes: Mapping[str, Node], gone: Collection[str], threshold: int
) -> list[Removal]:
    """What to delete. `gone` are nodes that are known to be no more; a threshold of 0 keeps all that have ended."""
    found: dict[str, Removal] = {}
    for removal in (
        *(Removal(pod) for pod in _surplus(pods, threshold)),
        *(Removal(pod) for pod in pods if _is_out_of_service(pod, nodes)),
        *(Removal(pod, ORPHANED) for pod in pods if pod.spec.nodeName in gone),
        *(Removal(pod) for pod in pods if pod.metadata.deletionTimestamp is not None and not pod.spec.nodeName),
    ):
        found.setdefault(removal.pod.metadata.uid, removal)
    return [*found.values()]


def _surplus(pods: Sequence[Pod], threshold: int) -> list[Pod]:
    """Of the pods that have ended those beyond the threshold: evicted ones first, then the oldest."""
    ended = [pod for pod in pods if pod.status.phase in _ENDED]
    if threshold <= 0 or len(ended) <= threshold:
        return []
    return sorted(ended, key=_age)[: len(ended) - threshold]


def _age(pod: Pod) -> tuple[bool, float, str]:
    evicted = pod.status.phase == "Failed" and pod.status.reason == "Evicted"
    return not evicted, pod.metadata.creationTimestamp or 0.0, pod.metadata.name


def _is_out_of_service(pod: Pod, nodes: Mapping[str, Node]) -> bool:
    """Whether it is to end on a node of which somebody has said that it is off for good."""
    node = nodes.get(pod.spec.nodeName)
    if node is None or pod.metadata.deletionTimestamp is None or is_ready(node):
        return False
    return any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints)


def failed_status(pod: Pod, reason: Reason | None, now: Instant) -> JsonObject | None:
    """What to say on a pod before it goes; None where it has ended already."""
    if pod.status.phase in _ENDED:
        return None
    status: JsonObject = {"phase": "Failed"}
    if reason is not None:
        told = {"type": "DisruptionTarget", "status": TRUE, "reason": reason[0], "message": reason[1]}
        status["conditions"] = [{**told, "lastTransitionTime": format_time(now)}]
    return status


class PodGcController(Controller):
    """Looks around, and deletes."""

    name = "pod-garbage-collector-controller"
    identity = "pod-garbage-collector"
    watches = (Watch(Pod, nothing), Watch(Node, nothing))
    rules = (
        rule(("",), ("pods",), ("list", "watch", "delete")),
        rule(("",), ("nodes",), ("get", "list", "watch")),
        rule(("",), ("pods/status",), ("patch",)),
    )
    workers = 1

    def __init__(self, tools: Tools, threshold: int = TERMINATED_THRESHOLD) -> None:
        super().__init__(tools)
        self._threshold = threshold
        self._missing: dict[str, float] = {}

    async def start(self) -> None:
        """Begin the rounds."""
        self.queue.add(_ROUND)

    async def reconcile(self, key: Key) -> Again | None:  # noqa: ARG002 - there is but one
        """One round."""
        pods = self.informers.of(Pod).lister.list()
        nodes = {node.metadata.name: node for node in self.informers.of(Node).lister.list()}
        gone = await self._gone({pod.spec.nodeName for pod in pods} - {*nodes, ""})
        removals = plan_removals(pods, nodes, gone, self._threshold)
        for start in range(0, len(removals), _AT_ONCE):
            failures = await all_at_once(
                [partial(self._remove, removal) for removal in removals[start : start + _AT_ONCE]]
            )
            for failure in failures:
                log.warning("Pod was not garbage collected, trying again", err=str(failure))
        return Again(PERIOD)

    async def _gone(self, missing: Collection[str]) -> list[str]:
        """Those of the missing nodes that have been so for long, and that the API server does not know either."""
        moment = self.clock.monotonic()
        self._missing = {name: self._missing.get(name, moment) for name in sorted(missing)}
        gone = []
        for name in [name for name, since in self._missing.items() if moment - since >= QUARANTINE]:
            del self._missing[name]
            try:
                await self.client.get(Node, name)
            except NotFound:
                gone.append(name)
        return gone

    async def _remove(self, removal: Removal) -> None:
        pod, meta = removal.pod, removal.pod.metadata
        log.info("PodGC is force deleting Pod", pod=str(Key.of(pod)))
        status = failed_status(pod, removal.reason, self.clock.now())
        try:
            if status is not None:
                patch = {"metadata": {"uid": meta.uid}, "status": status}
                form = PatchForm.STRATEGIC
                await self.client.patch(Pod, meta.name, meta.namespace, patch, subresource="status", form=form)
            await self.client.delete(Pod, meta.name, meta.namespace, grace_period=0, uid=meta.uid)
        except (NotFound, Conflict):
            return
