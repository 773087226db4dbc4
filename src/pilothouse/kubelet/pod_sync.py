"""Brings a living pod to where it should be: observes, has `lifecycle` plan, reports, acts, until nothing is to do.

What the containers cannot tell of an end, such as a deadline or a refusal, is remembered as the verdict.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet import lifecycle
from pilothouse.kubelet.containers import describe, field_path, find, type_of
from pilothouse.kubelet.cri.interface import Container
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.hooks import HookError, name_of
from pilothouse.kubelet.images.pull import StartError
from pilothouse.kubelet.log_links import LogLinks
from pilothouse.kubelet.node_services import NodeServices
from pilothouse.kubelet.observed import Failure, Health, ObservedPod
from pilothouse.kubelet.pod_memory import PodMemory
from pilothouse.kubelet.pod_plan import Kill, PodPlan, Start
from pilothouse.kubelet.pod_reporter import PodReporter
from pilothouse.kubelet.pod_resize import PodResize, ResizeError
from pilothouse.kubelet.pod_steps import PodSteps
from pilothouse.kubelet.resize import in_force
from pilothouse.kubelet.runtime_config import grace_period
from pilothouse.kubelet.status import Verdict, deadline_exceeded, pod_ips
from pilothouse.runtime.clock import Instant
from pilothouse.runtime.log import Log

log = Log(__name__)
_ROUNDS = 100
"""More rounds without rest than any pod needs: then something undoes what we do."""
RENEWAL = 60.0
"""Seconds after which the volumes of a pod are brought up to date though nobody told of news in them."""
_BETWEEN_SANDBOXES = 1.0
"""Seconds, at least."""
_LATER = 60.0
"""Seconds until such a pod is looked at again."""


class PodSync:
    """Of one pod, beside the `others` that have their place. Keeps nothing between calls but in the memory."""

    def __init__(self, node: NodeServices, reporter: PodReporter, others: Callable[[], Sequence[Pod]]) -> None:
        self._node = node
        self._others = others
        self._reporter = reporter
        self._steps = PodSteps(node)
        self._links = LogLinks(node.facts.layout.log_links)
        self._resize = PodResize(node)

    async def run(self, memory: PodMemory) -> Instant | None:
        """Do all that can be done now; when to look again without news. Sets `memory.over` when the pod is over.

        Raises PodError, KillError, CriError, StatusError.
        """
        for _ in range(_ROUNDS):
            heard = memory.pod
            if memory.admitted:
                await self._node.allocations.consider(self._reporter.with_status(memory), self._others, memory.news.set)
            observed = await self._reporter.observe(memory)
            if memory.pod is not heard:
                continue  # its generation must not be told of before what it asks for was considered
            pod, uid = self._granted(self._reporter.with_status(memory)), memory.pod.metadata.uid
            if not await self._admitted(memory, pod, observed):
                return None
            self._node.prober.attend(pod, observed, memory.news.set)
            observed = replace(observed, health=self._node.prober.health(uid))
            plan = lifecycle.plan(pod, observed, self._node.clock.now())
            if plan.settled:
                self._node.allocations.settle(pod)
                continue
            if plan.finished and not plan.steps:
                self._over(memory, pod)
                return None
            self._reporter.report(memory, replace(observed, failures={**memory.failures, **plan.failures}))
            if not plan.steps:
                return await self._rest(memory, pod, observed, plan)
            if plan.create_sandbox is not None and (later := self._too_soon(memory)) is not None:
                return later
            if plan.told_first:
                await self._node.writer.flush(uid)
            await self._carry_out(memory, plan, observed)
        log.warning("Pod does not come to rest", pod=describe(memory.pod))
        return self._node.clock.now() + _LATER

    def _too_soon(self, memory: PodMemory) -> Instant | None:
        """When there may be another sandbox, if not now: one may end as soon as it has begun, or be said to have."""
        clock = self._node.clock
        left = memory.sandbox_at + _BETWEEN_SANDBOXES - clock.monotonic() if memory.sandbox_at is not None else 0.0
        return clock.now() + left if left > 0 else None

    def _over(self, memory: PodMemory, pod: Pod) -> None:
        if lifecycle.past_deadline(pod, self._node.clock.now()):
            memory.verdict = deadline_exceeded()
            self._node.recorder.event(reference(pod), "Normal", "DeadlineExceeded", memory.verdict.message)
        memory.over = True

    def _granted(self, pod: Pod) -> Pod:
        return self._node.allocations.applied(pod)

    async def _admitted(self, memory: PodMemory, pod: Pod, observed: ObservedPod) -> bool:
        """Whether the node takes the pod. One that the runtime knows was taken before; one that is refused is over."""
        if memory.admitted:
            return True
        if observed.sandboxes or observed.containers:
            self._node.allocations.admit(pod, in_force=in_force(pod, observed))
            memory.admitted = True
            return True
        async with self._node.admitting:
            refusal = await self._node.admission.admit(pod, [self._granted(other) for other in self._others()])
            memory.admitted = refusal is None
            if memory.admitted:
                self._node.allocations.admit(pod)
        if refusal is not None:
            self._node.recorder.event(reference(pod), "Warning", refusal.reason, refusal.message)
            memory.verdict = Verdict("Failed", refusal.reason, f"Pod was rejected: {refusal.message}")
            memory.over = memory.refused = True
            memory.stopped.set()
        return memory.admitted

    async def _rest(self, memory: PodMemory, pod: Pod, observed: ObservedPod, plan: PodPlan) -> Instant | None:
        """Nothing to do now: refresh the volumes when it is time, tell of crash loops."""
        if self._node.clock.now() >= memory.renew_at:
            await self._renew(memory, pod, pod_ips(pod, observed, self._node.host_ips))
        for name in plan.failures:
            message = f"Back-off restarting failed container {name} in pod {describe(pod)}"
            self._node.recorder.event(reference(pod, field_path(pod, name)), "Warning", "BackOff", message)
        return memory.renew_at if plan.wake_at is None else min(plan.wake_at, memory.renew_at)

    async def _prepare(self, memory: PodMemory, pod: Pod, ips: Sequence[str]) -> None:
        memory.volumes = await self._steps.prepare(pod, ips)
        memory.prepared = True
        memory.renew_at = self._node.clock.now() + RENEWAL

    async def _renew(self, memory: PodMemory, pod: Pod, ips: Sequence[str]) -> None:
        """The volumes alone: nobody takes directories and cgroup from what runs. An earlier kubelet's are looked at."""
        if memory.prepared:
            memory.volumes = await self._steps.volumes(pod, ips)
            memory.renew_at = self._node.clock.now() + RENEWAL
        else:
            await self._prepare(memory, pod, ips)

    async def _carry_out(self, memory: PodMemory, plan: PodPlan, observed: ObservedPod) -> None:
        pod, node = self._granted(memory.pod), self._node
        ip = self._reporter.address(pod, observed)
        if plan.sandbox_changed:
            node.recorder.event(
                reference(pod), "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created."
            )
        if plan.stop_sandboxes:
            await node.ender.end_all(pod, observed.running(), grace_period(pod), ip, plan.stop_sandboxes)
        if plan.restarting:
            node.allocations.restarting(pod.metadata.uid, plan.restarting)
        for kill in plan.kill:
            run = next(run for run in observed.containers if run.id == kill.container_id)
            await node.ender.end(pod, run, self._kill_grace(memory.pod, kill, run), kill.message, ip)
        for container_id in plan.remove:
            run = next(run for run in observed.containers if run.id == container_id)
            await asyncio.to_thread(self._links.forget, run)
            await node.cri.remove_container(container_id)
            memory.ended.pop(container_id, None)
        if plan.create_sandbox is not None:
            await self._prepare(memory, pod, ())
            await self._steps.prepare_claims(pod)
            await self._steps.create_sandbox(pod, plan.create_sandbox)
            memory.sandbox_at = node.clock.monotonic()
        if plan.start and not memory.volumes:
            await self._prepare(memory, pod, pod_ips(pod, observed, node.host_ips))
        if plan.fit or plan.resize:
            await self._fit(pod, plan, observed)
        for step in plan.start:
            await self._start(memory, step, observed)

    async def _fit(self, pod: Pod, plan: PodPlan, observed: ObservedPod) -> None:
        """Put what is granted into force. What fails is told, and keeps nothing else from being done."""
        clock, good = self._node.clock, False
        began = clock.monotonic()
        try:
            await self._resize.run(pod, plan, observed)
            good = True
        except ResizeError as error:
            self._node.allocations.failed(pod, str(error))
        else:
            self._node.allocations.fitted(pod.metadata.uid)
        finally:
            self._node.resize_counts.actuated(clock.monotonic() - began, good=good)

    def _kill_grace(self, pod: Pod, kill: Kill, run: Container) -> float:
        """A probe may give its own time; else the pod's."""
        if kill.at_once:
            return 0.0
        container = find(pod, run.name)
        health = self._node.prober.health(pod.metadata.uid).get(run.id, Health())
        if container is not None:
            probe = container.startupProbe if health.startup_failed else container.livenessProbe
            if probe.terminationGracePeriodSeconds is not None:
                return float(probe.terminationGracePeriodSeconds)
        return float(grace_period(pod))

    async def _start(self, memory: PodMemory, step: Start, observed: ObservedPod) -> None:
        assert observed.sandbox is not None
        if step.wait is not None:
            memory.waits[step.name] = step.wait
        counts, kind = self._node.counts, type_of(memory.pod, step.name)
        counts.containers.labels(kind).inc()
        try:
            container_id = await self._steps.start(self._granted(memory.pod), step, observed.sandbox, memory.volumes)
        except StartError as error:
            counts.container_errors.labels(kind, error.reason).inc()
            retry_at = max(error.retry_at, self._node.clock.now() + 1.0)
            memory.failures[step.name] = Failure(error.reason, error.message, retry_at)
            return
        memory.failures.pop(step.name, None)
        await self._post_start(memory, step.name, container_id, self._reporter.address(memory.pod, observed))

    async def _post_start(self, memory: PodMemory, name: str, container_id: str, ip: str) -> None:
        pod, node = memory.pod, self._node
        container = find(pod, name)
        if container is None or not container.lifecycle.postStart:
            return
        try:
            await node.hooks.run(container, container.lifecycle.postStart, container_id, ip)
        except HookError as error:
            about = reference(pod, field_path(pod, name))
            node.recorder.event(about, "Warning", "FailedPostStartHook", "PostStartHook failed")
            where = f'for Container "{name}" in Pod "{describe(pod)}" failed - error: {error}'
            message = f"{name_of(container.lifecycle.postStart)} {where}"
            memory.failures[name] = Failure("PostStartHookError", message, node.clock.now() + 1.0)
            run = await node.cri.container_status(container_id)
            await node.ender.end(memory.pod, run, grace_period(memory.pod), "FailedPostStartHook", ip)
