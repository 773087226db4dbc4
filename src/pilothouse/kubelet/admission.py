"""Whether the node takes a pod that was bound to it: asked once, before anything is made of the pod.

A pod that is refused has failed, and whoever made it makes another elsewhere. The reasons are files in `admit/`. For
critical pods others make room. Upstream: pkg/kubelet/lifecycle, pkg/kubelet/preemption.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pilothouse.api.machinery.errors import StatusError
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.admit_handler import AdmitHandler, NodeView, Refusal, Shortage, all_handlers
from pilothouse.kubelet.api import Recorder
from pilothouse.kubelet.containers import describe
from pilothouse.kubelet.counts.admission_counts import AdmissionCounts
from pilothouse.kubelet.cri.interface import Cri, RuntimeStatus
from pilothouse.kubelet.critical import is_critical
from pilothouse.kubelet.declared_features import declared_features
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.handout import Handout, NothingToGive
from pilothouse.kubelet.own_node import OwnNode
from pilothouse.kubelet.pod_end import OVERTIME
from pilothouse.kubelet.preemption import NoVictims, victims
from pilothouse.kubelet.runtime_config import grace_period
from pilothouse.kubelet.status import Verdict
from pilothouse.kubelet.sysctls import AllowedSysctls
from pilothouse.runtime.clock import Clock
from pilothouse.runtime.log import Log
from pilothouse.runtime.metrics import Metrics

log = Log(__name__)
PREEMPTED = Verdict(
    "Failed",
    "Preempting",
    "Preempted in order to admit critical pod",
    {
        "DisruptionTarget": (
            "True", "TerminationByKubelet", "Pod was preempted by Kubelet to accommodate a critical pod.",
        ),
    },
)  # fmt: skip
_HANDOUT = 30
"""Handlers of a lower rank are asked before containers are given what they lack."""
_SHORTEST_WAIT = 10.0
"""Seconds that a pod has at least to go away for another."""


class Admission(Protocol):
    """Judges one pod at a time."""

    async def admit(self, pod: Pod, others: Sequence[Pod], *, resized: bool = False) -> Refusal | None:
        """Why not, beside the `others` that have their place. None: it is taken. May raise CriError, StatusError.

        `resized`: the pod was taken before, and would have other resources.
        """
        ...


class Evictions(Protocol):
    """Whoever ends pods."""

    def end(self, uid: str, verdict: Verdict, grace: float | None = None) -> None:
        """The node ends this pod."""
        ...

    async def stopped(self, uid: str) -> None:
        """Wait until nothing of it runs."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTraits:
    """What does not change of the node."""

    sysctls: AllowedSysctls
    app_armor: bool = False


class NodeAdmission:
    """Asks the handlers one after the other."""

    def __init__(
        self, node: OwnNode, cri: Cri, evictions: Callable[[], Evictions], recorder: Recorder, clock: Clock,
        traits: NodeTraits, handlers: Sequence[AdmitHandler] | None = None,
        pressure: Callable[[], Sequence[str]] = tuple, handout: Handout | None = None,
        shutting_down: Callable[[], bool] = lambda: False,
        counts: AdmissionCounts | None = None,
    ) -> None:  # fmt: skip
        self._node = node
        self._cri = cri
        self._evictions = evictions
        self._recorder = recorder
        self._clock = clock
        self._traits = traits
        self._handlers = all_handlers() if handlers is None else handlers
        self._handout = handout or NothingToGive()
        self._pressure = pressure
        self._shutting_down = shutting_down
        self._counts = counts or AdmissionCounts(Metrics())

    async def admit(self, pod: Pod, others: Sequence[Pod], *, resized: bool = False) -> Refusal | None:
        """Why not. Raises CriError."""
        refusal = await self._judged(pod, others, resized=resized)
        if refusal is not None and not resized:
            self._counts.refused(refusal.reason)
        return refusal

    async def _judged(self, pod: Pod, others: Sequence[Pod], *, resized: bool) -> Refusal | None:
        view = self._view(others, await self._runtime(pod))
        first = [handler for handler in self._handlers if handler.rank < _HANDOUT]
        refusal = judge(first, pod, view)
        if refusal is None and not resized:  # what it was given once does not change
            refusal = await self._handout.hand_out(pod)
        if refusal is not None:
            return refusal
        view = replace(view, allocatable=self._handout.known_to(pod, view.allocatable))
        then = [handler for handler in self._handlers if handler.rank >= _HANDOUT]
        refusal = judge(then, pod, view)
        if refusal is not None and refusal.reason == "NodeAffinity":
            refusal = judge(then, pod, await self._seen_anew(view))
        if refusal is not None and refusal.shortages and is_critical(pod):
            return await self._make_room(pod, others, refusal.shortages)
        return refusal

    async def _runtime(self, pod: Pod) -> RuntimeStatus | None:
        """What the runtime says of itself, where it matters."""
        matters = pod.spec.securityContext.supplementalGroupsPolicy or pod.spec.hostUsers is False
        return await self._cri.status() if matters else None

    def _view(self, others: Sequence[Pod], runtime: RuntimeStatus | None) -> NodeView:
        node = self._node.known()
        return NodeView(
            name=node.metadata.name, labels=node.metadata.labels, taints=node.spec.taints,
            allocatable=node.status.allocatable, others=others,
            strict_groups=runtime is not None and runtime.strict_groups,
            declared=declared_features(runtime),
            app_armor=self._traits.app_armor, sysctls=self._traits.sysctls, pressure=self._pressure(),
            shutting_down=self._shutting_down(),
        )  # fmt: skip

    async def _seen_anew(self, view: NodeView) -> NodeView:
        """With the labels of this moment: they may have been changed just before the pod was bound."""
        try:
            node = await self._node.newest()
        except StatusError as error:
            log.warning("Failed to synchronously fetch node info", err=error.message)
            return view
        return replace(view, labels=node.metadata.labels, taints=node.spec.taints)

    async def _make_room(self, pod: Pod, others: Sequence[Pod], shortages: Sequence[Shortage]) -> Refusal | None:
        """End others until there is enough of everything."""
        try:
            chosen = victims(pod, others, shortages)
        except NoVictims as error:
            found = f"preemption: error finding a set of pods to preempt: {error}"
            text = f"Unexpected error while attempting to recover from admission failure: {found}"
            return Refusal("UnexpectedAdmissionError", text)
        evictions, began = self._evictions(), self._clock.monotonic()
        for victim in chosen:
            self._recorder.event(reference(victim), "Warning", PREEMPTED.reason, PREEMPTED.message)
            evictions.end(victim.metadata.uid, PREEMPTED)
        for victim in chosen:
            given = max(_SHORTEST_WAIT, grace_period(victim) * 1.5)
            try:
                async with self._clock.timeout(max(began + given - self._clock.monotonic(), 0.0)):
                    await evictions.stopped(victim.metadata.uid)
                self._counts.preempted(shortages[0].resource)
            except TimeoutError:
                self._recorder.event(reference(victim), *OVERTIME)
                log.warning("Failed to evict pod", pod=describe(victim), err="timeout waiting to kill pod")
        return None


def judge(handlers: Sequence[AdmitHandler], pod: Pod, view: NodeView) -> Refusal | None:
    """The first refusal. What a critical pod lacks is told only if nothing else is the matter with it."""
    lacking: Refusal | None = None
    for handler in handlers:
        refusal = handler.refuse(pod, view)
        if refusal is None:
            continue
        if not refusal.shortages or not is_critical(pod):
            return refusal
        lacking = lacking or refusal
    return lacking
