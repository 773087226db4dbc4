"""Decides on changes of pods' resources, and remembers what is granted and how far that has come.

A change that does not fit now waits; whoever waits is looked at again, in the order of upstream's queue, when another
change is asked for or in force, when a pod has ended, and every three minutes. Upstream: pkg/kubelet/allocation.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admission import Admission
from pilothouse.kubelet.allocation_store import Allocation, AllocationStore, asked
from pilothouse.kubelet.api import Recorder
from pilothouse.kubelet.containers import describe
from pilothouse.kubelet.counts.resize_counts import PERIODIC, REMOVED, RESIZED, UPDATED, ResizeCounts
from pilothouse.kubelet.cri.interface import CriError
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.observed import ResizeNote, ResizeState
from pilothouse.kubelet.resize import STATIC_POD, event_message, infeasible, precedence, repins, swaps
from pilothouse.kubelet.resources.swap import SwapFacts
from pilothouse.runtime.backoff import Growth
from pilothouse.runtime.clock import Clock, Instant
from pilothouse.runtime.log import Log
from pilothouse.runtime.metrics import Metrics

log = Log(__name__)
_NUMBER = re.compile(r"\d+")
FIRST_RETRY = 30.0
RETRY = 180.0
"""Seconds after which changes that wait are looked at again."""
_SWAP = "In-place resize of containers with swap is not supported."
_PINNED = 'Resize is infeasible for Guaranteed Pods alongside CPU Manager policy "static"'
_BOUND = 'Resize is infeasible for Guaranteed Pods alongside Memory Manager policy "Static"'
_WHY = {
    _SWAP: "swap_limitation", _PINNED: "guaranteed_pod_cpu_manager_static_policy",
    _BOUND: "guaranteed_pod_memory_manager_static_policy", STATIC_POD: "static_pod",
}  # fmt: skip
"""As metrics tell it; else there is not enough on the whole node."""
_AFTER_ERROR = 10.0
_REPORTED = 1.0
"""Seconds in which a status comes back from the API server."""
_LAG = Growth(2.0, RETRY)
"""Seconds in which a runtime should tell what it has taken, before it is told again."""


@dataclass(slots=True)
class _Request:
    """A change that is not granted yet."""

    pod: Pod
    others: Callable[[], Sequence[Pod]]
    poke: Callable[[], None]
    since: Instant
    note: ResizeNote | None = None
    """Why it waits; None: it is new."""

    def same(self, pod: Pod) -> bool:
        """Whether it is what the pod asks for now."""
        return asked(self.pod) == asked(pod)


@dataclass(slots=True)
class _Progress:
    """How far a change has come that is granted. Lost with the kubelet: then all its steps are taken again."""

    error: str = ""
    fitted: bool = False
    retry_at: Instant = 0.0
    told: int = 0
    """How often the runtime has taken it: it may be slow to tell of that, or never do."""


@dataclass(slots=True, kw_only=True)
class StoredAllocations:
    """`Allocations` of a node. `admitting` is held while a pod is judged."""

    store: AllocationStore
    admission: Admission
    allocatable: Callable[[], Mapping[str, str]]
    recorder: Recorder
    clock: Clock
    admitting: asyncio.Lock
    swap: SwapFacts = field(default_factory=SwapFacts)
    own_cpus: bool = False
    """Guaranteed pods may have processors of their own."""
    own_memory: bool = False
    """Guaranteed pods are bound to certain memory."""
    counts: ResizeCounts = field(default_factory=lambda: ResizeCounts(Metrics()))
    _trigger: str = ""
    """What has made room."""
    _known: dict[str, Allocation | None] = field(default_factory=dict)
    _requests: dict[str, _Request] = field(default_factory=dict)
    _progress: dict[str, _Progress] = field(default_factory=dict)
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    def _granted(self, uid: str) -> Allocation | None:
        if uid not in self._known:
            self._known[uid] = self.store.load(uid)
        return self._known[uid]

    def _keep(self, uid: str, allocation: Allocation) -> None:
        """Remember, if the disk lets us; what it does not keep is worked out again by the next kubelet."""
        self._known[uid] = allocation
        try:
            self.store.save(uid, allocation)
        except OSError as error:
            log.warning("Failed to write what a pod is granted", uid=uid, err=str(error))

    def applied(self, pod: Pod) -> Pod:
        """The pod with the resources that it is granted."""
        granted = self._granted(pod.metadata.uid)
        return granted.applied(pod) if granted is not None else pod

    def resize_state(self, uid: str) -> ResizeState:
        """How far a change of its resources has come."""
        granted, request = self._granted(uid), self._requests.get(uid)
        pending = request.note if request is not None else None
        if granted is None or granted.settled:
            return ResizeState(pending)
        progress = self._progress.get(uid) or _Progress()
        note = ResizeNote("Error" if progress.error else "", progress.error, granted.generation)
        return ResizeState(pending, note, progress.fitted, progress.retry_at, frozenset(granted.restarting))

    def admit(self, pod: Pod, *, in_force: bool = True) -> None:
        """Grant what the pod asks for, unless it has been granted something before."""
        if self._granted(pod.metadata.uid) is None:
            self._keep(pod.metadata.uid, replace(asked(pod), settled=in_force))

    async def consider(self, pod: Pod, others: Callable[[], Sequence[Pod]], poke: Callable[[], None]) -> None:
        """Decide on what the pod asks for beyond what it is granted. Raises CriError, StatusError."""
        uid = pod.metadata.uid
        if self.applied(pod) is pod:
            self._requests.pop(uid, None)
            return
        known = self._requests.get(uid)
        if known is None or not known.same(pod):
            since = known.since if known is not None else self.clock.now()
            self.counts.asked(pod, known.pod if known is not None else self.applied(pod))
            self._requests[uid] = _Request(pod, others, poke, since)
            await self._decide_all(UPDATED)
        elif known.note is None:
            await self._decide_all(UPDATED)

    async def _decide_all(self, trigger: str) -> None:
        async with self.admitting:
            for request in sorted(self._requests.values(), key=self._order):
                if self._requests.get(request.pod.metadata.uid) is request:
                    await self._decide(request, trigger)

    def _order(self, request: _Request) -> tuple[bool, int, bool, Instant]:
        return (*precedence(request.pod, self.applied(request.pod)), request.since)

    def _hindrance(self, pod: Pod) -> str:
        """What this node cannot change while a pod runs."""
        granted = self.applied(pod)
        if swaps(pod, granted, self.swap):
            return _SWAP
        if self.own_cpus and repins(pod, granted, "cpu"):
            return _PINNED
        return _BOUND if self.own_memory and repins(pod, granted, "memory") else ""

    async def _decide(self, request: _Request, trigger: str) -> None:
        pod, before = request.pod, request.note
        if before is not None and before.reason == "Infeasible":
            return
        generation = pod.metadata.generation or 0
        message = self._hindrance(pod) or infeasible(pod, self.allocatable())
        if message:
            note = ResizeNote("Infeasible", message, generation)
        else:
            others = [self.applied(other) for other in request.others()]
            refusal = await self.admission.admit(pod, others, resized=True)
            if self._requests.get(pod.metadata.uid) is not request:
                return  # the pod has ended meanwhile, or asks for something else
            if refusal is None:
                if self._grant(request) and before is not None:
                    self.counts.late(trigger)
                return
            note = ResizeNote("Deferred", refusal.message, generation)
        if note != before:
            request.note = note
            if message:
                self.counts.infeasible(_WHY.get(message, "insufficient_node_allocatable"))
            self._tell(pod, "Warning", f"Resize{note.reason}", note.reason, note)
            request.poke()

    def _grant(self, request: _Request) -> bool:
        """Whether it could be written down."""
        pod, uid = request.pod, request.pod.metadata.uid
        before = self._granted(uid)
        granted = replace(asked(pod), settled=False, restarting=before.restarting if before else ())
        try:
            self.store.save(uid, granted)
        except OSError as error:
            # What is granted must outlive us: other pods count on it.
            log.warning("Failed to handle pod resources resize", pod=describe(pod), err=str(error))
            return False
        self._known[uid] = granted
        self._progress[uid] = _Progress()
        del self._requests[uid]
        self._tell(pod, "Normal", "ResizeStarted", "started", ResizeNote(generation=granted.generation))
        request.poke()
        return True

    def _tell(self, pod: Pod, kind: str, reason: str, what: str, note: ResizeNote) -> None:
        self.recorder.event(reference(pod), kind, reason, event_message(pod, what, note))

    def restarting(self, uid: str, runs: Iterable[str]) -> None:
        """These runs are about to be ended, to start anew."""
        granted = self._granted(uid)
        if granted is not None:
            self._keep(uid, replace(granted, restarting=tuple(dict.fromkeys((*granted.restarting, *runs)))))

    def fitted(self, uid: str) -> None:
        """The runtime has taken what is granted."""
        told = (self._progress.get(uid) or _Progress()).told
        self._progress[uid] = _Progress(fitted=True, retry_at=self.clock.now() + _LAG.wait(told), told=told + 1)

    def failed(self, pod: Pod, message: str) -> None:
        """The runtime or the kernel has refused it."""
        uid = pod.metadata.uid
        known, granted = self._progress.get(uid) or _Progress(), self._granted(uid)
        # What is used differs each time; who hears of it once need not hear of it every ten seconds.
        if _NUMBER.sub("", known.error) != _NUMBER.sub("", message):
            note = ResizeNote("Error", message, granted.generation if granted is not None else 0)
            self._tell(pod, "Warning", "ResizeError", "error", note)
        self._progress[uid] = _Progress(message, retry_at=self.clock.now() + _AFTER_ERROR)

    def settle(self, pod: Pod) -> None:
        """What is granted is in force."""
        uid = pod.metadata.uid
        granted = self._granted(uid)
        if granted is not None and not granted.settled:
            self._keep(uid, replace(granted, settled=True, restarting=()))
            self._progress.pop(uid, None)
            self._tell(pod, "Normal", "ResizeCompleted", "completed", ResizeNote(generation=granted.generation))
            if self._requests:
                # It counts with what its status says it has, until that says less.
                self.clock.call_later(_REPORTED, partial(self._look_again, RESIZED))

    def release(self, uid: str) -> None:
        """The pod takes no room any more: others may have it."""
        self._requests.pop(uid, None)
        self._progress.pop(uid, None)
        if self._requests:
            self._look_again(REMOVED)

    def _look_again(self, trigger: str) -> None:
        self._trigger = trigger
        self._room.set()

    def forget(self, uid: str) -> None:
        """The pod is gone, its record with its directory."""
        self.release(uid)
        self._known.pop(uid, None)

    async def retry(self) -> None:
        """Look again at the changes that wait, for as long as the kubelet lives."""
        wait = FIRST_RETRY
        while True:
            try:
                async with self.clock.timeout(wait):
                    await self._room.wait()
                trigger = self._trigger
            except TimeoutError:
                wait, trigger = RETRY, PERIODIC
            self._room.clear()
            try:
                await self._decide_all(trigger)
            except (CriError, StatusError, OSError) as error:
                log.warning("Failed to handle pod resources resize", err=str(error))
