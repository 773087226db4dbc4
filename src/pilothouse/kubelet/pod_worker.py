"""One pod's worker: brings the pod to where it should be, then waits for news, until nothing of it is left.

News is a changed pod, a change the runtime reports, a probe's verdict, or a moment the plan named. Whatever ends the
pod interrupts what is under way. The work itself is `PodSync`'s while the pod lives and `PodFinish`'s after that.
"""

import asyncio
from collections.abc import Callable, Sequence

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.containers import describe
from pilothouse.kubelet.counts.pod_pace import PodPace
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.dra.claim_info import ClaimError
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.node_services import NodeServices
from pilothouse.kubelet.pod_end import KillError
from pilothouse.kubelet.pod_finish import PodFinish
from pilothouse.kubelet.pod_memory import PodMemory
from pilothouse.kubelet.pod_reporter import PodReporter
from pilothouse.kubelet.pod_steps import PodError
from pilothouse.kubelet.pod_sync import PodSync
from pilothouse.kubelet.runtime_config import grace_period
from pilothouse.kubelet.status import Verdict
from pilothouse.kubelet.trouble import Trouble
from pilothouse.kubelet.volume import VolumeError
from pilothouse.runtime.clock import Instant
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

log = Log(__name__)
RESYNC = 60.0
"""Seconds after which a pod is looked at without news: its volumes may have newer content."""
_AGAIN = 5.0
"""Seconds until a synchronization that failed for a reason of ours is tried again."""


class PodWorker:
    """Keeps one pod as it should be. `run` returns when nothing of the pod is left on the node."""

    def __init__(self, pod: Pod, node: NodeServices, others: Callable[[], Sequence[Pod]], tasks: Tasks) -> None:
        self._node = node
        self._tasks = tasks
        reporter = PodReporter(node)
        self._sync = PodSync(node, reporter, others)
        self._finish = PodFinish(node, reporter)
        self._memory = PodMemory(pod)
        self._pace = PodPace(pod, node.counts, node.clock)
        self._current: asyncio.Task[Instant | None] | None = None
        self._interrupted = False
        self._trouble = Trouble()
        self.stopped = self._memory.stopped
        """Set when none of the pod's containers runs any more."""
        self.cleared = asyncio.Event()
        """Set when it has no volumes any more, too, or they do not go."""

    @property
    def pod(self) -> Pod:
        """The pod as last heard of."""
        return self._memory.pod

    @property
    def placed(self) -> bool:
        """Whether the pod takes up room on the node."""
        return self._memory.placed

    @property
    def lifecycle(self) -> str:
        """How far the pod is, as metrics name it."""
        if self.stopped.is_set():
            return "terminated"
        return "terminating" if self._ending else "sync"

    @property
    def orphaned(self) -> bool:
        """Whether nobody wants the pod any more."""
        return self._memory.removed

    @property
    def _ending(self) -> bool:
        return self._memory.over or self._memory.deleted

    def update(self, pod: Pod) -> None:
        """The pod has changed, or is being deleted, perhaps with less time than before."""
        memory = self._memory
        memory.hear(pod, self._node.clock.now())
        if pod.metadata.deletionTimestamp is not None:
            memory.deleted = True
            given = pod.metadata.deletionGracePeriodSeconds
            self._hurry(float(grace_period(pod) if given is None else given))
        memory.news.set()

    def remove(self) -> None:
        """The pod is no longer in the API: end what runs, report nothing."""
        memory = self._memory
        memory.removed = memory.deleted = True
        self._hurry(float(grace_period(memory.pod)) if memory.grace is None else memory.grace)
        memory.news.set()

    def end(self, verdict: Verdict, grace: float | None = None) -> None:
        """The node ends the pod, within `grace` seconds or as many as its spec gives; it stays in the API, failed.

        A pod that is being deleted or over for another reason keeps its reason.
        """
        memory = self._memory
        if not memory.over and not memory.deleted:
            memory.verdict = verdict
        memory.over = True
        self._hurry(float(grace_period(memory.pod)) if grace is None else grace)
        memory.news.set()

    def poke(self) -> None:
        """Something about the pod may have changed on the node."""
        self._memory.news.set()

    def renew(self) -> None:
        """Something that the pod's volumes show may have changed."""
        self._memory.renew_at = self._node.clock.now()
        self._memory.news.set()

    def _hurry(self, grace: float) -> None:
        if self._memory.grace is None or grace < self._memory.grace:
            self._memory.grace = grace
            if self._current is not None:
                self._interrupted = True
                self._current.cancel()

    async def run(self) -> None:
        """Work until the pod is gone."""
        memory, clock = self._memory, self._node.clock
        while True:
            memory.news.clear()
            wake_at = await self._round()
            if memory.stopped.is_set():
                self.cleared.set()
            if memory.gone:
                return
            if self._interrupted:
                self._interrupted = False
                continue
            wait = min(RESYNC, max(wake_at - clock.now(), 0.0)) if wake_at is not None else RESYNC
            try:
                async with clock.timeout(wait):
                    await memory.news.wait()
            except TimeoutError:
                continue

    async def _round(self) -> Instant | None:
        """One synchronization, which an end may interrupt; when to look again without news."""
        name = f"pod {self.pod.metadata.namespace}/{self.pod.metadata.name}"
        self._pace.begin(self.pod, ending=self._ending)
        self._current = self._tasks.spawn(self._guarded(), name=name)
        try:
            return await self._current
        except asyncio.CancelledError:
            if not self._interrupted:
                raise
            return None
        finally:
            self._current = None
            self._pace.end()
            if self._pace.starting:
                self._pace.reached(self._node.writer.newest(self.pod))

    async def _guarded(self) -> Instant | None:
        began = self._node.clock.now()
        try:
            wake_at = await self._work()
        except PodError as error:
            return self._troubled(error.reason, str(error))
        except KillError as error:
            return self._troubled("FailedKillPod", f"error killing pod: {error}")
        except CriError as error:
            return self._troubled("FailedSync", f"error determining status: {error}")
        except (ClaimError, StatusError, VolumeError) as error:
            log.warning("Error syncing pod, skipping", pod=describe(self.pod), err=str(error))
        except Exception as error:  # noqa: BLE001 - one pod must not take the others down
            log.crash("Error syncing pod, skipping", error=error, pod=describe(self.pod))
        else:
            self._trouble.over()
            return wake_at
        return began + _AGAIN

    async def _work(self) -> Instant | None:
        memory = self._memory
        if not self._ending:
            wake_at = await self._sync.run(memory)
            if not memory.over:
                return wake_at
        return await self._finish.run(memory)

    def _troubled(self, reason: str, message: str) -> Instant:
        """The pod as a whole cannot go on: tell, and when to try again."""
        now = self._node.clock.now()
        if self._trouble.met(reason, message, now):
            self._node.recorder.event(reference(self.pod), "Warning", reason, message)
        return self._trouble.retry_at(now)
