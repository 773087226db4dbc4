"""Scheduler: takes pods from the queue, decides with the cycle, and tells the API server.

Deciding is synchronous and one pod at a time; telling is not waited for. A pod counts as being on its node from the
decision on (`Nodes.assume`), so the next decision may follow at once; should binding fail, the pod is forgotten there
and tried again. Upstream: pkg/scheduler/schedule_one.go and eventhandlers.go.
"""

import asyncio
from collections.abc import Mapping

from pilothouse.api.machinery.errors import NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.client import Client, PatchForm
from pilothouse.client.events import EventRecorder
from pilothouse.client.informer import Informers
from pilothouse.client.key import Key
from pilothouse.runtime.clock import Clock, Instant, format_time
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks
from pilothouse.scheduler.changes import Change, Happened, assigned_changes, node_changes
from pilothouse.scheduler.cycle import Cycle, Placement
from pilothouse.scheduler.framework import Diagnosis
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.scheduler.queue import Queued, SchedulingQueue

LIVING = "status.phase!=Succeeded,status.phase!=Failed"
"""Pods that have ended need no node and use none."""
NOTE_LENGTH = 1024
_REQUESTS_AT_ONCE = 64

log = Log(__name__)


def plan_condition(pod: Pod, reason: str, message: str, now: Instant) -> JsonObject | None:
    """The condition that tells why a pod has no node; None if it is there already."""
    old = next((one for one in pod.status.conditions if one.type == "PodScheduled"), None)
    new = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    generation = pod.metadata.generation
    if generation:
        new |= {"observedGeneration": generation}  # type: ignore[dict-item]
    since = format_time(now)
    if old is not None and old.status == "False":
        same = (old.reason, old.message, old.observedGeneration or 0) == (reason, message, generation or 0)
        if same:
            return None
        since = old.raw.get("lastTransitionTime") or since
    return {**new, "lastProbeTime": None, "lastTransitionTime": since}


def shortened(message: str) -> str:
    """A message as long as an event may carry."""
    return message if len(message) <= NOTE_LENGTH else message[: NOTE_LENGTH - 4] + " ..."


class Scheduler:
    """One scheduler and its queue."""

    def __init__(
        self, name: str, client: Client, informers: Informers, events: EventRecorder, clock: Clock, tasks: Tasks,
        nodes: Nodes, queue: SchedulingQueue, cycle: Cycle,
    ) -> None:  # fmt: skip
        self._name = name
        self._client = client
        self._events = events
        self._clock = clock
        self._tasks = tasks
        self._nodes = nodes
        self._queue = queue
        self._cycle = cycle
        self._slots = asyncio.Semaphore(_REQUESTS_AT_ONCE)
        self._pods = informers.of(Pod, fields=LIVING)
        informers.of(Node).on_change(self._node_changed)
        self._pods.on_change(self._pod_changed)

    async def run(self) -> None:
        """Place pods for ever."""
        while True:
            self.attempt(await self._queue.next())
            await self._clock.sleep(0)

    def attempt(self, queued: Queued) -> None:
        """Decide where one pod goes, and start telling."""
        pod = queued.info
        if pod.pod.metadata.deletionTimestamp is not None:
            note = f"skip schedule deleting pod: {pod.key.namespace}/{pod.key.name}"
            self._events.event(pod.pod, "Warning", "FailedScheduling", note)
            self._queue.remove(pod.key)
            return
        found = self._cycle.place(pod)
        if isinstance(found, Placement):
            self._nodes.assume(pod, found.node)
            self._tasks.spawn(self._bind(queued, found), name=f"bind {pod.key}")
            return
        log.info("Unable to schedule pod; no fit; waiting", pod=str(pod.key), err=found.message)
        self._queue.refused(queued, found.plugins)
        self._report(pod.pod, "Unschedulable", found)

    async def _bind(self, queued: Queued, placement: Placement) -> None:
        pod = queued.info
        binding: JsonObject = {
            "metadata": {"name": pod.key.name, "namespace": pod.key.namespace, "uid": pod.uid},
            "target": {"kind": "Node", "name": placement.node},
        }
        try:
            async with self._slots:
                await self._client.create(
                    Pod, {"apiVersion": "v1", "kind": "Binding", **binding}, pod.key.namespace, name=pod.key.name,
                    subresource="binding",
                )  # fmt: skip
        except (StatusError, OSError, TimeoutError) as error:
            self._binding_failed(queued, placement, error)
            return
        log.info("Successfully bound pod to node", pod=str(pod.key), node=placement.node, feasible=placement.feasible)
        note = f"Successfully assigned {pod.key.namespace}/{pod.key.name} to {placement.node}"
        self._events.event(pod.pod, "Normal", "Scheduled", note)

    def _binding_failed(self, queued: Queued, placement: Placement, error: Exception) -> None:
        pod = queued.info
        self._nodes.forget(pod.uid)
        pod.node_name = ""
        self._queue.changed(Happened(Change.POD_DELETED, pod.pod, None))
        known = self._pods.lister.get(pod.key)
        if isinstance(error, NotFound) and known is None:
            self._queue.remove(pod.key)
            return
        if known is not None and known.spec.nodeName:
            return
        message = f"binding rejected: {getattr(error, 'message', error)}"
        log.info("Error scheduling pod; retrying", pod=str(pod.key), node=placement.node, err=message)
        self._queue.failed(queued)
        self._tell(pod.pod, "SchedulerError", message)

    def _report(self, pod: Pod, reason: str, diagnosis: Diagnosis) -> None:
        self._tell(pod, reason, diagnosis.message)

    def _tell(self, pod: Pod, reason: str, message: str) -> None:
        """Say in an event and in the pod's condition why it has no node."""
        self._events.event(pod, "Warning", "FailedScheduling", shortened(message))
        pod = self._pods.lister.get(Key.of(pod)) or pod
        condition = plan_condition(pod, reason, message, self._clock.now())
        if condition is not None:
            self._tasks.spawn(self._write(pod, {"conditions": [condition]}), name=f"status of {Key.of(pod)}")

    async def _write(self, pod: Pod, status: Mapping[str, object]) -> None:
        meta = pod.metadata
        patch: JsonObject = {"metadata": {"uid": meta.uid}, "status": status}
        try:
            async with self._slots:
                await self._client.patch(
                    Pod, meta.name, meta.namespace, patch, subresource="status", form=PatchForm.STRATEGIC
                )  # fmt: skip
        except NotFound:
            return
        except (StatusError, OSError, TimeoutError) as error:
            log.info("Error updating pod", pod=str(Key.of(pod)), err=str(error))

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is None:
            if old is not None:
                self._nodes.remove_node(old.metadata.name)
            return
        changes = node_changes(old, new)
        self._nodes.set_node(new)
        for change in changes:
            self._queue.changed(Happened(change, old, new))

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new if new is not None else old
        if pod is None:
            return
        if pod.spec.nodeName:
            self._assigned_changed(old, new)
        elif new is None:
            self._gone(pod)
        elif pod.spec.schedulerName == self._name and not self._nodes.is_assumed(pod.metadata.uid):
            self._queue.set(new)

    def _assigned_changed(self, old: Pod | None, new: Pod | None) -> None:
        if new is None:
            if old is not None:
                self._nodes.remove_pod(old.metadata.uid)
        else:
            self._queue.remove(Key.of(new))
            self._nodes.set_pod(PodInfo.of(new))
        for change in assigned_changes(old, new):
            self._queue.changed(Happened(change, old, new))

    def _gone(self, pod: Pod) -> None:
        """A pod without a node has gone; if it was just being bound, its place is free again."""
        self._queue.remove(Key.of(pod))
        if self._nodes.is_assumed(pod.metadata.uid):
            self._nodes.forget(pod.metadata.uid)
            self._queue.changed(Happened(Change.POD_DELETED, pod, None))
