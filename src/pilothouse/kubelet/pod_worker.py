"""One pod's worker: observes, plans, acts, reports, and again until nothing is to be done; then waits for news.

News is a changed pod, a change the runtime reports, a probe's verdict, or a moment the plan named. A deletion
interrupts whatever is under way. The worker's memory (failures, crash waits) is only a convenience: after a restart
of the kubelet everything needed is in the runtime and in the API.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from pilothouse.api.machinery.errors import Conflict, NotFound, StatusError
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet import lifecycle, pod_files
from pilothouse.kubelet.api import Pods
from pilothouse.kubelet.containers import describe, field_path, find
from pilothouse.kubelet.cri.interface import Container, ContainerState, CriError
from pilothouse.kubelet.events import reference
from pilothouse.kubelet.hooks import HookError, Hooks, name_of
from pilothouse.kubelet.images.pull import StartError
from pilothouse.kubelet.observed import CrashWait, Failure, Health, ObservedPod, observe
from pilothouse.kubelet.pod_end import Ender
from pilothouse.kubelet.pod_plan import Kill, PodPlan, Start
from pilothouse.kubelet.pod_steps import Node, PodError, PodRefused, PodSteps
from pilothouse.kubelet.runtime_config import grace_period
from pilothouse.kubelet.status import Verdict, deadline_exceeded, pod_ips, pod_status
from pilothouse.kubelet.status_writer import StatusWriter
from pilothouse.kubelet.termination import with_message
from pilothouse.kubelet.trouble import Trouble
from pilothouse.runtime.clock import Instant
from pilothouse.runtime.log import Log
from pilothouse.runtime.tasks import Tasks

log = Log(__name__)
RESYNC = 60.0
"""Seconds after which a pod is looked at without news: its volumes may have newer content."""
_AGAIN = 5.0
"""Seconds until a synchronization that failed for a reason of ours is tried again."""
_ROUNDS = 100
"""More rounds without rest than any pod needs: then something undoes what we do."""


class Prober(Protocol):
    """What probes say of a pod's containers."""

    def attend(self, pod: Pod, observed: ObservedPod, changed: Callable[[], None]) -> None:
        """Probe what runs now, and call `changed` at each new verdict."""
        ...

    def health(self, uid: str) -> Mapping[str, Health]:
        """By container id."""
        ...

    def retire(self, uid: str, changed: Callable[[], None]) -> None:
        """The pod is being ended: go on with readiness alone, and call `changed` at each new verdict."""
        ...

    def forget(self, uid: str) -> None:
        """Probe no more."""
        ...


class PodWorker:
    """Keeps one pod as it should be. `run` returns when nothing of the pod is left on the node."""

    def __init__(
        self, pod: Pod, node: Node, ender: Ender, hooks: Hooks, prober: Prober, writer: StatusWriter, pods: Pods,
        tasks: Tasks,
    ) -> None:  # fmt: skip
        self._pod = pod
        self._node = node
        self._steps = PodSteps(node)
        self._ender = ender
        self._hooks = hooks
        self._prober = prober
        self._writer = writer
        self._pods = pods
        self._tasks = tasks
        self._news = asyncio.Event()
        self._current: asyncio.Task[Instant | None] | None = None
        self._interrupted = False
        self._removed = False
        self._gone = False
        self._grace: float | None = None
        self._verdict: Verdict | None = None
        self._failures: dict[str, Failure] = {}
        self._waits: dict[str, CrashWait] = {}
        self._trouble = Trouble()
        self._ended: dict[str, Container] = {}
        self._volumes: Mapping[str, Path] = {}
        self._over = pod.status.phase in ("Succeeded", "Failed")

    @property
    def pod(self) -> Pod:
        """The pod as last heard of."""
        return self._pod

    def update(self, pod: Pod) -> None:
        """The pod has changed, or is being deleted, perhaps with less time than before."""
        self._pod = pod
        if pod.metadata.deletionTimestamp is not None:
            given = pod.metadata.deletionGracePeriodSeconds
            self._hurry(float(grace_period(pod) if given is None else given))
        self._news.set()

    def remove(self) -> None:
        """The pod is no longer in the API: end what runs, report nothing."""
        self._removed = True
        self._hurry(float(grace_period(self._pod)) if self._grace is None else self._grace)
        self._news.set()

    def poke(self) -> None:
        """Something about the pod may have changed on the node."""
        self._news.set()

    def _hurry(self, grace: float) -> None:
        if self._grace is None or grace < self._grace:
            self._grace = grace
            if self._current is not None:
                self._interrupted = True
                self._current.cancel()

    async def run(self) -> None:
        """Work until the pod is gone."""
        while True:
            self._news.clear()
            wake_at = await self._round()
            if self._gone:
                return
            if self._interrupted:
                self._interrupted = False
                continue
            now = self._node.clock.now()
            wait = min(RESYNC, max(wake_at - now, 0.0)) if wake_at is not None else RESYNC
            try:
                async with self._node.clock.timeout(wait):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _round(self) -> Instant | None:
        """One synchronization, which a deletion may interrupt; when to look again without news."""
        name = f"pod {self._pod.metadata.namespace}/{self._pod.metadata.name}"
        self._current = self._tasks.spawn(self._guarded(), name=name)
        try:
            return await self._current
        except asyncio.CancelledError:
            if not self._interrupted:
                raise
            return None
        finally:
            self._current = None

    async def _guarded(self) -> Instant | None:
        began = self._node.clock.now()
        try:
            wake_at = await self._synchronize()
        except PodError as error:
            return self._troubled(error.reason, str(error))
        except CriError as error:
            return self._troubled("FailedSync", f"error determining status: {error}")
        except StatusError as error:
            log.warning("Error syncing pod, skipping", pod=describe(self._pod), err=error.message)
        except Exception as error:  # noqa: BLE001 - one pod must not take the others down
            log.crash("Error syncing pod, skipping", error=error, pod=describe(self._pod))
        else:
            self._trouble.over()
            return wake_at
        return began + _AGAIN

    def _troubled(self, reason: str, message: str) -> Instant:
        """The pod as a whole cannot go on: tell, and when to try again."""
        now = self._node.clock.now()
        if self._trouble.met(reason, message, now):
            self._node.recorder.event(reference(self._pod), "Warning", reason, message)
        return self._trouble.retry_at(now)

    async def _observe(self) -> ObservedPod:
        pod = self._pod
        observed = await observe(self._node.cri, pod.metadata.uid, self._ended)
        containers = []
        for run in observed.containers:
            if run.state is ContainerState.EXITED and run.id not in self._ended:
                file = pod_files.message_file(pod, run.name, run.attempt, self._node.facts)
                run = with_message(run, file)
                self._ended[run.id] = run
            containers.append(run)
        present = {run.id for run in containers}
        self._ended = {key: run for key, run in self._ended.items() if key in present}
        return replace(
            observed, containers=tuple(containers), waits=self._waits, failures=self._failures,
            health=self._prober.health(pod.metadata.uid),
        )  # fmt: skip

    def _report(self, observed: ObservedPod, *, over: bool = False) -> None:
        """Say how the pod is, on top of what was last said."""
        pod = self._with_status()
        status = pod_status(
            pod, observed, self._node.clock.now(), self._node.host_ips, over=over, verdict=self._verdict
        )
        if not self._removed:
            self._writer.put(pod, status)

    def _with_status(self) -> Pod:
        """The pod's spec as it is, with the newest status that is known."""
        known = self._writer.last(self._pod)
        return self._pod if known is self._pod else Pod({**self._pod.raw, "status": known.raw.get("status") or {}})

    async def _synchronize(self) -> Instant | None:
        if self._grace is not None or self._over:
            return await self._finish()
        for _ in range(_ROUNDS):
            observed = await self._observe()
            pod = self._with_status()
            self._prober.attend(pod, observed, self.poke)
            observed = replace(observed, health=self._prober.health(pod.metadata.uid))
            plan = lifecycle.plan(pod, observed, self._node.clock.now())
            if plan.finished and not plan.steps:
                if lifecycle.past_deadline(pod, self._node.clock.now()):
                    self._verdict = deadline_exceeded()
                    self._node.recorder.event(reference(pod), "Normal", "DeadlineExceeded", self._verdict.message)
                self._over = True
                return await self._finish()
            waiting = {**self._failures, **plan.failures}
            self._report(replace(observed, failures=waiting))
            if not plan.steps:
                return await self._rest(pod, observed, plan)
            if plan.told_first:
                await self._writer.flush(pod.metadata.uid)
            try:
                await self._carry_out(plan, observed)
            except PodRefused as error:
                return await self._refuse(error)
        log.warning("Pod does not come to rest", pod=describe(self._pod))
        return self._node.clock.now() + RESYNC

    async def _refuse(self, error: PodRefused) -> Instant | None:
        """Say that the pod has failed, and why, and take away what was made for it."""
        self._node.recorder.event(reference(self._pod), "Warning", error.reason, str(error))
        self._verdict = Verdict("Failed", error.reason, f"Pod was rejected: {error}")
        self._over = True
        return await self._finish()

    async def _rest(self, pod: Pod, observed: ObservedPod, plan: PodPlan) -> Instant | None:
        """Nothing to do now: refresh the volumes, tell of crash loops."""
        self._volumes = await self._steps.prepare(pod, pod_ips(pod, observed, self._node.host_ips))
        for name in plan.failures:
            message = f"Back-off restarting failed container {name} in pod {describe(pod)}"
            self._node.recorder.event(reference(pod, field_path(pod, name)), "Warning", "BackOff", message)
        return plan.wake_at

    async def _carry_out(self, plan: PodPlan, observed: ObservedPod) -> None:
        pod = self._pod
        ip = next(iter(pod_ips(pod, observed, self._node.host_ips)), "")
        if plan.sandbox_changed:
            self._node.recorder.event(
                reference(pod), "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created."
            )
        if plan.stop_sandboxes:
            await self._ender.end_all(pod, observed.running(), grace_period(pod), ip)
            for sandbox_id in plan.stop_sandboxes:
                await self._node.cri.stop_sandbox(sandbox_id)
        for kill in plan.kill:
            run = next(run for run in observed.containers if run.id == kill.container_id)
            await self._ender.end(pod, run, self._kill_grace(kill, run), kill.message, ip)
        for container_id in plan.remove:
            await self._node.cri.remove_container(container_id)
            self._ended.pop(container_id, None)
        if plan.create_sandbox is not None:
            self._volumes = await self._steps.prepare(pod, ())
            await self._steps.create_sandbox(pod, plan.create_sandbox)
        if plan.start and not self._volumes:
            self._volumes = await self._steps.prepare(pod, pod_ips(pod, observed, self._node.host_ips))
        for step in plan.start:
            await self._start(step, observed)

    def _kill_grace(self, kill: Kill, run: Container) -> float:
        """A probe may give its own time; else the pod's."""
        if kill.at_once:
            return 0.0
        container = find(self._pod, run.name)
        health = self._prober.health(self._pod.metadata.uid).get(run.id, Health())
        if container is not None:
            probe = container.startupProbe if health.startup_failed else container.livenessProbe
            if probe.terminationGracePeriodSeconds is not None:
                return float(probe.terminationGracePeriodSeconds)
        return float(grace_period(self._pod))

    async def _start(self, step: Start, observed: ObservedPod) -> None:
        assert observed.sandbox is not None
        if step.wait is not None:
            self._waits[step.name] = step.wait
        try:
            container_id = await self._steps.start(self._pod, step, observed.sandbox, self._volumes)
        except StartError as error:
            retry_at = max(error.retry_at, self._node.clock.now() + 1.0)
            self._failures[step.name] = Failure(error.reason, error.message, retry_at)
            return
        self._failures.pop(step.name, None)
        await self._post_start(step, container_id, observed)

    async def _post_start(self, step: Start, container_id: str, observed: ObservedPod) -> None:
        container = find(self._pod, step.name)
        if container is None or not container.lifecycle.postStart:
            return
        ip = next(iter(pod_ips(self._pod, observed, self._node.host_ips)), "")
        try:
            await self._hooks.run(container, container.lifecycle.postStart, container_id, ip)
        except HookError as error:
            about = reference(self._pod, field_path(self._pod, step.name))
            self._node.recorder.event(about, "Warning", "FailedPostStartHook", "PostStartHook failed")
            where = f'for Container "{step.name}" in Pod "{describe(self._pod)}" failed - error: {error}'
            message = f"{name_of(container.lifecycle.postStart)} {where}"
            self._failures[step.name] = Failure("PostStartHookError", message, self._node.clock.now() + 1.0)
            run = await self._node.cri.container_status(container_id)
            await self._ender.end(self._pod, run, grace_period(self._pod), "FailedPostStartHook", ip)

    async def _finish(self) -> Instant | None:
        """End what runs, report how it ended, and let the pod go where it is being deleted."""
        pod, uid = self._pod, self._pod.metadata.uid
        observed = await self._observe()
        if running := observed.running():
            self._prober.retire(uid, lambda: self._report(replace(observed, health=self._prober.health(uid))))
            grace = float(grace_period(pod)) if self._grace is None else self._grace
            if self._grace is not None:
                self._report(observed)
            ip = next(iter(pod_ips(pod, observed, self._node.host_ips)), "")
            await self._ender.end_all(pod, running, grace, ip)
        self._prober.forget(uid)
        for sandbox in observed.sandboxes:
            if sandbox.ready:
                await self._node.cri.stop_sandbox(sandbox.id)
        self._report(await self._observe(), over=True)
        if self._grace is None:
            await asyncio.to_thread(self._node.volumes.tear_down_volumes, uid)
            return None
        await self._writer.flush(uid)
        return await self._let_go()

    async def _let_go(self) -> Instant | None:
        """Remove every trace of the pod from the node, then from the API."""
        pod, uid = self._pod, self._pod.metadata.uid
        for sandbox in await self._node.cri.sandboxes(uid):
            await self._node.cri.stop_sandbox(sandbox.id)
            await self._node.cri.remove_sandbox(sandbox.id)
        logs = self._node.facts.layout.pod_logs(pod.metadata.namespace, pod.metadata.name, uid)
        await asyncio.to_thread(self._node.volumes.tear_down, uid)
        await asyncio.to_thread(self._node.mounter.remove_tree, logs)
        if not self._node.cgroups.remove(pod):
            return self._node.clock.now() + 0.1
        self._node.images.forget(uid)
        if not self._removed:
            try:
                await self._pods.delete(pod)
            except (NotFound, Conflict):
                log.debug("Pod was deleted meanwhile", pod=describe(pod))
        self._writer.forget(uid)
        self._gone = True
        return None
