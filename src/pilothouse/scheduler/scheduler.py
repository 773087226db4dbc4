"""Scheduler: takes pods from the queue, decides with the cycle, and tells the API server.

Deciding is synchronous and one pod at a time; telling is not waited for. A pod counts as being on its node from the
decision on (`Nodes.assume`), so the next decision may follow at once; should binding fail, the pod is forgotten there
and tried again. Upstream: pkg/scheduler/schedule_one.go and eventhandlers.go.
"""

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Node, Pod
from pilothouse.client.client import Client
from pilothouse.client.informer import Informers
from pilothouse.client.key import Key
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks
from pilothouse.scheduler.changes import Change, Happened, assigned_changes, node_changes
from pilothouse.scheduler.cycle import Cycle, Placement
from pilothouse.scheduler.eviction import Eviction
from pilothouse.scheduler.framework import Diagnosis, Room
from pilothouse.scheduler.metrics import SchedulerMetrics
from pilothouse.scheduler.nodes import Nodes
from pilothouse.scheduler.pod_info import PodInfo
from pilothouse.scheduler.queue import Queued, SchedulingQueue
from pilothouse.scheduler.reports import Reports

LIVING = "status.phase!=Succeeded,status.phase!=Failed"
"""Pods that have ended need no node and use none."""

log = Log(__name__)


class Scheduler:
    """One scheduler and its queue."""

    def __init__(
        self, name: str, client: Client, informers: Informers, clock: Clock, tasks: Tasks, nodes: Nodes,
        queue: SchedulingQueue, cycle: Cycle, reports: Reports, metrics: SchedulerMetrics,
    ) -> None:  # fmt: skip
        self._name = name
        self._client = client
        self._clock = clock
        self._tasks = tasks
        self._nodes = nodes
        self._queue = queue
        self._cycle = cycle
        self._reports = reports
        self._metrics = metrics
        self._eviction = Eviction(client, clock, reports, nodes)
        self._pods = informers.of(Pod, fields=LIVING)
        informers.of(Node).on_change(self._node_changed)
        self._pods.on_change(self._pod_changed)

    async def run(self) -> None:
        """Place pods for ever."""
        while True:
            queued = await self._queue.next()
            start = self._clock.monotonic()
            try:
                self.attempt(queued)
            except Exception as error:  # noqa: BLE001 - what a plugin makes of one pod must not keep the others waiting
                log.crash("Error selecting node for pod", pod=str(queued.info.key), error=error)
                self._metrics.attempted("error", self._clock.monotonic() - start)
                self._failed(queued, str(error))
            await self._clock.sleep(0)

    def attempt(self, queued: Queued) -> None:
        """Decide where one pod goes, and start telling."""
        pod = queued.info
        if pod.pod.metadata.deletionTimestamp is not None:
            self._reports.skipped(pod.pod)
            self._queue.remove(pod.key)
            return
        start = self._clock.monotonic()
        found = self._cycle.place(pod)
        if isinstance(found, Diagnosis):
            self._unplaceable(queued, found)
            self._metrics.attempted("unschedulable", self._clock.monotonic() - start)
            return
        if pod.nominated:
            self._give_up_claim(pod, found.node)
        self._nodes.assume(pod, found.node)
        self._tasks.spawn(self._bind(queued, found, start), name=f"bind {pod.key}")

    def _unplaceable(self, queued: Queued, diagnosis: Diagnosis) -> None:
        """It fits nowhere: make room if others may go, and let it wait."""
        pod = queued.info
        room = Room(node="")
        if diagnosis.nodes:
            room = self._cycle.make_room(pod, diagnosis)
            self._metrics.preempting()
        diagnosis.suggestion = room.message
        log.debug("Unable to schedule pod; no fit; waiting", pod=str(pod.key), err=diagnosis.message)
        self._queue.refused(queued, diagnosis.plugins)
        if room.node is not None:
            self._nodes.nominate(pod, room.node)
        self._tell(pod, "Unschedulable", diagnosis.message, room.node)
        if room.victims:
            self._metrics.preempted(len(room.victims))
            self._tasks.spawn(self._make_room(pod, room), name=f"room for {pod.key}")

    async def _make_room(self, pod: PodInfo, room: Room) -> None:
        if not await self._eviction.make(pod, room):
            self._queue.activate(pod.key)

    def _give_up_claim(self, pod: PodInfo, node: str) -> None:
        """It runs now; if elsewhere than where room was made for it, others may have that."""
        claimed = pod.nominated
        self._nodes.nominate(pod, "")
        if claimed != node:
            self._queue.changed(Happened(Change.POD_DELETED, pod.pod, None))

    async def _bind(self, queued: Queued, placement: Placement, start: float) -> None:
        pod = queued.info
        binding: JsonObject = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod.key.name, "namespace": pod.key.namespace, "uid": pod.uid},
            "target": {"kind": "Node", "name": placement.node},
        }
        try:
            async with self._reports.slots:
                await self._client.create(Pod, binding, pod.key.namespace, name=pod.key.name, subresource="binding")
        except (StatusError, OSError, TimeoutError) as error:
            self._metrics.attempted("error", self._clock.monotonic() - start)
            self._binding_failed(queued, placement, error)
            return
        log.debug("Successfully bound pod to node", pod=str(pod.key), node=placement.node, feasible=placement.feasible)
        self._metrics.attempted("scheduled", self._clock.monotonic() - start)
        self._metrics.scheduled(queued.attempts)
        self._reports.scheduled(pod.pod, placement.node)

    def _binding_failed(self, queued: Queued, placement: Placement, error: Exception) -> None:
        """Its place is free again; it is tried again, unless it is gone or has its node after all."""
        pod = queued.info
        self._nodes.forget(pod.uid)
        self._queue.changed(Happened(Change.POD_DELETED, pod.pod, None))
        known = self._pods.lister.get(pod.key)
        if known is None or known.metadata.uid != pod.uid or known.spec.nodeName:
            return
        message = f'running Bind plugin "DefaultBinder": {getattr(error, "message", "") or error}'
        log.info("Error scheduling pod; retrying", pod=str(pod.key), node=placement.node, err=message)
        queued.info = PodInfo.of(known)
        self._failed(queued, message)

    def _failed(self, queued: Queued, message: str) -> None:
        """Something went wrong: tell, and try again after a while."""
        self._queue.failed(queued)
        self._tell(queued.info, "SchedulerError", message, "")

    def _tell(self, pod: PodInfo, reason: str, message: str, nominated: str | None) -> None:
        """Report about the newest state of a pod, if it is still there without a node."""
        known = self._pods.lister.get(pod.key)
        if known is not None and known.metadata.uid == pod.uid and not known.spec.nodeName:
            self._reports.failed(known, reason, message, nominated)

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
            queued = self._queue.set(new)
            self._nodes.nominate(queued.info, queued.info.nominated)

    def _assigned_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new if new is not None else old
        if pod is None:
            return
        self._queue.remove(Key.of(pod))
        self._nodes.drop_claim(pod.metadata.uid)
        if new is None:
            self._nodes.remove_pod(pod.metadata.uid)
        else:
            self._nodes.read_pod(new)
        for change in assigned_changes(old, new):
            self._queue.changed(Happened(change, old, new))

    def _gone(self, pod: Pod) -> None:
        """A pod without a node has gone; if one was promised to it, or it was just being bound, its place is free."""
        uid = pod.metadata.uid
        self._queue.remove(Key.of(pod))
        if self._nodes.drop_claim(uid) or self._nodes.is_assumed(uid):
            self._nodes.forget(uid)
            self._queue.changed(Happened(Change.POD_DELETED, pod, None))
