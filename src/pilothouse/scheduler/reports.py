"""Reports: telling users, in the pod and in events, what the scheduler found. Nobody waits for it.

Upstream: handleSchedulingFailure and updatePod in pkg/scheduler/schedule_one.go.
"""

import asyncio

from pilothouse.api.machinery.errors import NotFound, StatusError
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.client.client import Client, PatchForm
from pilothouse.client.events import EventRecorder
from pilothouse.client.key import Key
from pilothouse.runtime.clock import Clock, Instant, format_time
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

NOTE_LENGTH = 1024
_REQUESTS_AT_ONCE = 64

log = Log(__name__)


def plan_condition(pod: Pod, kind: str, status: str, reason: str, message: str, now: Instant) -> JsonObject | None:
    """A condition of a pod as it should be; None if it is there already."""
    old = next((one for one in pod.status.conditions if one.type == kind), None)
    new = {"type": kind, "status": status, "reason": reason, "message": message}
    generation = pod.metadata.generation
    since = format_time(now)
    if old is not None and old.status == status:
        same = (old.reason, old.message, old.observedGeneration or 0) == (reason, message, generation or 0)
        if same:
            return None
        since = old.raw.get("lastTransitionTime") or since
    observed = {"observedGeneration": generation} if generation else {}
    return {**new, **observed, "lastProbeTime": None, "lastTransitionTime": since}


def shortened(message: str) -> str:
    """A message as long as an event may carry."""
    return message if len(message) <= NOTE_LENGTH else message[: NOTE_LENGTH - 4] + " ..."


class Reports:
    """Writes of one scheduler, so many at once."""

    def __init__(self, client: Client, events: EventRecorder, clock: Clock, tasks: Tasks) -> None:
        self._client = client
        self._events = events
        self._clock = clock
        self._tasks = tasks
        self.slots = asyncio.Semaphore(_REQUESTS_AT_ONCE)

    def scheduled(self, pod: Pod, node: str) -> None:
        """It has its node."""
        key = Key.of(pod)
        self._events.event(pod, "Normal", "Scheduled", f"Successfully assigned {key.namespace}/{key.name} to {node}")

    def skipped(self, pod: Pod) -> None:
        """It is being deleted."""
        key = Key.of(pod)
        note = f"skip schedule deleting pod: {key.namespace}/{key.name}"
        self._events.event(pod, "Warning", "FailedScheduling", note)

    def preempted(self, victim: Pod, uid: str, node: str) -> None:
        """It was removed for another."""
        self._events.event(victim, "Normal", "Preempted", f"Preempted by pod {uid} on node {node}")

    def failed(self, pod: Pod, reason: str, message: str, nominated: str | None) -> None:
        """It has no node, and why. `nominated` is the node it may count on from now on; None leaves that as it is."""
        self._events.event(pod, "Warning", "FailedScheduling", shortened(message))
        status: JsonObject = {}
        condition = plan_condition(pod, "PodScheduled", "False", reason, message, self._clock.now())
        if condition is not None:
            status["conditions"] = [condition]
        if nominated is not None and nominated != pod.status.nominatedNodeName:
            status["nominatedNodeName"] = nominated or None
        if status:
            self._tasks.spawn(self._try_write(pod, status), name=f"status of {Key.of(pod)}")

    async def _try_write(self, pod: Pod, status: JsonObject) -> None:
        try:
            await self.write(pod, status)
        except NotFound:
            return
        except (StatusError, OSError, TimeoutError) as error:
            log.info("Error updating pod", pod=str(Key.of(pod)), err=str(error))

    async def write(self, pod: Pod, status: JsonObject) -> None:
        """Change a pod's status. Raises NotFound and StatusError."""
        meta = pod.metadata
        patch: JsonObject = {"metadata": {"uid": meta.uid}, "status": status}
        async with self.slots:
            await self._client.patch(
                Pod, meta.name, meta.namespace, patch, subresource="status", form=PatchForm.STRATEGIC
            )  # fmt: skip
