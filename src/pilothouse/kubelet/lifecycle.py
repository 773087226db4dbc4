"""Decides what happens next to a pod: pure, from its spec and what is observed, to a list of steps.

Read `plan` first. It never looks at history other than what the runtime still holds, so a kubelet that restarts
decides as the one before it would have. API pages: "Pod Lifecycle", "Sidecar Containers", "Ephemeral Containers";
container restart rules are KEP-5307 and KEP-5532. Back-off of upstream: 10 s doubling to 5 min, forgotten after 10 min
of good running.
"""

from dataclasses import replace

from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.containers import (
    calls_for_all,
    describe,
    ephemeral,
    every,
    is_sidecar,
    main_and_init,
    restarts_after,
    restarts_when_killed,
    shape,
    target_name,
    wants_restart,
)
from pilothouse.kubelet.cri import interface as cri
from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.observed import CrashWait, Failure, Health, ObservedPod
from pilothouse.kubelet.pod_plan import Kill, PodPlan, Resize, Start
from pilothouse.kubelet.resize import must_restart, resizable, steps
from pilothouse.runtime.clock import Instant
from pilothouse.runtime.durations import go_duration

FIRST_WAIT = 10.0
LONGEST_WAIT = 300.0
SHAPE_LABEL = "io.kubernetes.container.hash"
_CHANGED = "definition changed"


def plan(pod: Pod, observed: ObservedPod, now: Instant) -> PodPlan:
    """The next steps for a pod that is to run."""
    anew = all_restart(pod, observed)
    if past_deadline(pod, now) or (not anew and (_init_failed(pod, observed) or _all_done(pod, observed))):
        return PodPlan(finished=True)
    attempt = sandbox_needed(pod, observed)
    if attempt is not None:
        return _replace_sandbox(pod, observed, attempt)
    if anew:
        return _clear(pod, observed)
    draft = _Draft(pod, observed, now)
    draft.ephemeral_containers()
    draft.review_running()
    if draft.init_containers():
        for container in pod.spec.containers:
            draft.consider(container)
    draft.consider_deadline()
    draft.resizes()
    return replace(draft.result(), remove=_outdated(pod, observed))


def sandbox_needed(pod: Pod, observed: ObservedPod) -> int | None:
    """The number of the sandbox that must be made; None when the newest one serves."""
    newest = observed.sandbox
    if newest is None:
        return 0
    ready = sum(sandbox.ready for sandbox in observed.sandboxes)
    host_network = bool(pod.spec.hostNetwork)
    if not newest.ready or ready > 1 or newest.host_network != host_network or not (host_network or newest.ips):
        return newest.attempt + 1
    return None


def past_deadline(pod: Pod, now: Instant) -> bool:
    """Whether activeDeadlineSeconds has run out."""
    deadline, since = pod.spec.activeDeadlineSeconds, pod.status.startTime
    return deadline is not None and since is not None and now >= since + deadline


def crash_message(pod: Pod, container: Container, wait: CrashWait) -> str:
    """What the status of a container in CrashLoopBackOff says."""
    return f"back-off {go_duration(wait.seconds)} restarting failed container={container.name} pod={describe(pod)}"


def _all_done(pod: Pod, observed: ObservedPod) -> bool:
    """Every main container has ended for good."""
    runs = [(container, observed.latest(container.name)) for container in pod.spec.containers]
    return bool(runs) and all(
        run is not None
        and run.state is ContainerState.EXITED
        and not wants_restart(pod, container, run)
        and not observed.restarting(run)
        for container, run in runs
    )


def _init_failed(pod: Pod, observed: ObservedPod) -> bool:
    """An init container has failed for good."""
    if _has_begun(pod, observed):
        return False
    regular = [container for container in pod.spec.initContainers if not is_sidecar(container)]
    runs = [(container, observed.active(container.name)) for container in regular]
    return any(
        run is not None and run.state is ContainerState.EXITED and run.exit_code != 0
        and not restarts_after(pod, container, run.exit_code)
        for container, run in runs
    )  # fmt: skip


def _has_begun(pod: Pod, observed: ObservedPod) -> bool:
    """Whether a main container has been made in this sandbox: then init containers have done their work."""
    return any(observed.active(container.name) is not None for container in pod.spec.containers)


def _replace_sandbox(pod: Pod, observed: ObservedPod, attempt: int) -> PodPlan:
    old = tuple(sandbox.id for sandbox in observed.sandboxes if sandbox.ready) or tuple(
        sandbox.id for sandbox in observed.sandboxes[:1] if observed.running()
    )
    never_again = (pod.spec.restartPolicy or "Always") == "Never" and attempt > 0 and observed.containers
    if never_again:
        return PodPlan(stop_sandboxes=old, finished=not old)
    return PodPlan(stop_sandboxes=old, sandbox_changed=attempt > 0, create_sandbox=attempt)


def all_restart(pod: Pod, observed: ObservedPod) -> bool:
    """Whether a container ended in a way that its rules have all start anew, from the first init container on."""
    return any(
        run is not None and run.state is ContainerState.EXITED and calls_for_all(container, run.exit_code)
        for container, run in ((one, observed.active(one.name)) for one in main_and_init(pod))
    )


def _clear(pod: Pod, observed: ObservedPod) -> PodPlan:
    """End and forget all runs; last of all the one that called for it, so that a restarted kubelet goes on."""
    runs = [(container, run) for container in main_and_init(pod) for run in observed.runs(container.name)]
    kill = tuple(
        Kill(run.id, run.name, f"Stopping container {run.name}", at_once=True)
        for _, run in runs
        if run.state in (ContainerState.RUNNING, ContainerState.UNKNOWN)
    )
    callers = tuple(run.id for container, run in runs if run is observed.active(run.name)
                    and run.state is ContainerState.EXITED and calls_for_all(container, run.exit_code))  # fmt: skip
    others = tuple(run.id for _, run in runs if run.id not in callers)
    return PodPlan(kill=kill, remove=others or callers, told_first=True)


def _outdated(pod: Pod, observed: ObservedPod) -> tuple[str, ...]:
    """Runs before the last but one, which `logs --previous` cannot reach."""
    return tuple(run.id for container in every(pod) for run in observed.runs(container.name)[2:])


class _Draft:
    """A plan being drawn up. `now` and what is observed do not change meanwhile."""

    def __init__(self, pod: Pod, observed: ObservedPod, now: Instant) -> None:
        self._pod = pod
        self._observed = observed
        self._now = now
        self._kill: list[Kill] = []
        self._start: list[Start] = []
        self._failures: dict[str, Failure] = {}
        self._wakes: list[Instant] = []
        self._restarting: list[str] = []
        self._fit = False
        self._resize: tuple[Resize, ...] = ()
        self._settled = False

    def result(self) -> PodPlan:
        return PodPlan(
            restarting=tuple(self._restarting), kill=tuple(self._kill), fit=self._fit, resize=self._resize,
            start=tuple(self._start), failures=self._failures, wake_at=min(self._wakes, default=None),
            settled=self._settled,
        )  # fmt: skip

    def ephemeral_containers(self) -> None:
        """Start what somebody added, once; that init containers are still at work is no reason to wait."""
        told = {status.name for status in self._pod.status.ephemeralContainerStatuses if status.containerID}
        for container in ephemeral(self._pod):
            if (
                self._observed.latest(container.name) is not None
                or container.name in told
                or self._must_wait(container)
            ):
                continue
            target = target_name(self._pod, container.name)
            found = self._observed.latest(target) if target else None
            self._start.append(Start(container.name, 0, target_id=found.id if found else ""))

    def review_running(self) -> None:
        """Kill what must not run on, and start it again where the policies say so."""
        for container in main_and_init(self._pod):
            run = self._observed.active(container.name)
            initial = any(one.name == container.name for one in self._pod.spec.initContainers)
            if run is None or (initial and run.state is ContainerState.RUNNING and not is_sidecar(container)):
                continue
            what = f"{'Init container' if initial else 'Container'} "
            if run.state is ContainerState.UNKNOWN:
                message = f'{what}is in "unknown" state, try killing it before restart'
                self._kill.append(Kill(run.id, container.name, message))
            elif run.state is ContainerState.RUNNING and (fault := self._fault(container, run)):
                again = restarts_when_killed(self._pod, container) or fault == _CHANGED
                ending = ", will be restarted" if again and not initial else ""
                self._kill.append(Kill(run.id, container.name, f"{what}{container.name} {fault}{ending}"))
                if again:
                    self._start_or_wait(container)
            elif run.state is ContainerState.RUNNING and self._resizing and must_restart(container, run):
                self._kill.append(Kill(run.id, container.name, f"Container {container.name} resize requires restart"))
                self._restarting.append(run.id)
                self._start_or_wait(container)

    @property
    def _resizing(self) -> bool:
        """Whether what runs may be given what it is granted now."""
        resize = self._observed.resize
        return resize.in_progress is not None and resize.retry_at <= self._now

    def _fault(self, container: Container, run: cri.Container) -> str:
        health = self._observed.health.get(run.id, Health())
        if SHAPE_LABEL in run.annotations and run.annotations[SHAPE_LABEL] != shape(container):
            return _CHANGED
        if health.startup_failed:
            return "failed startup probe"
        return "failed liveness probe" if health.live is False else ""

    def init_containers(self) -> bool:
        """Bring the init containers forward; true when the main ones may run.

        The last one that was made tells how far it went: those before it have done their work, or are sidecars, which
        are kept running. Once a main container was made, only sidecars count.
        """
        containers, observed = self._pod.spec.initContainers, self._observed
        runs = [observed.active(container.name) for container in containers]
        begun = _has_begun(self._pod, observed)
        reached = max((at for at, run in enumerate(runs) if run is not None or begun), default=0)
        for container in containers[:reached]:
            if is_sidecar(container):
                self.consider(container)
        if not containers:
            return True
        last, run = containers[reached], runs[reached]
        if is_sidecar(last) or not (begun or _succeeded(run)):
            self.consider(last)
        if not (self._started(last, run) if is_sidecar(last) else begun or _succeeded(run)):
            return self._at_work()
        if reached + 1 < len(containers):
            self.consider(containers[reached + 1])
            return False
        return True

    def _at_work(self) -> bool:
        """A main container runs: whatever sidecars do, the pod is initialized."""
        runs = [self._observed.active(container.name) for container in self._pod.spec.containers]
        return any(run is not None and run.state in (ContainerState.CREATED, ContainerState.RUNNING) for run in runs)

    def _started(self, container: Container, run: cri.Container | None) -> bool:
        if run is None or run.state is not ContainerState.RUNNING:
            return False
        return not container.startupProbe or bool(self._observed.health.get(run.id, Health()).started)

    def consider(self, container: Container) -> None:
        """Start the container, or say until when it waits, or leave it."""
        latest, active = self._observed.latest(container.name), self._observed.active(container.name)
        initial = any(one.name == container.name for one in self._pod.spec.initContainers)
        if active is not None and active.state is ContainerState.RUNNING:
            return
        # In a new sandbox the init containers run again, however they ended in the one before.
        anew = initial and active is None
        again = wants_restart(self._pod, container, latest) or self._observed.restarting(latest)
        if (anew or again) and not self._must_wait(container):
            self._start_or_wait(container)

    def _must_wait(self, container: Container) -> bool:
        """Whether the last try to start it is too short ago."""
        failure = self._observed.failures.get(container.name)
        if failure is None or failure.retry_at <= self._now:
            return False
        self._wakes.append(failure.retry_at)
        return True

    def _start_or_wait(self, container: Container) -> None:
        """Start it, unless it ended before and its back-off since then has not passed."""
        name = container.name
        attempt = self._attempt(name)
        ended = next((run for run in self._observed.runs(name) if run.state is ContainerState.EXITED), None)
        if ended is None:
            self._start.append(Start(name, attempt))
            return
        wait, now_shape = self._observed.waits.get(name), shape(container)
        if wait is not None and wait.shape == now_shape and ended.finished_at - wait.since <= 2 * LONGEST_WAIT:
            until = ended.finished_at + wait.seconds
            if self._now < until:
                self._failures[name] = Failure("CrashLoopBackOff", crash_message(self._pod, container, wait))
                self._wakes.append(until)
                return
            longer = CrashWait(min(2 * wait.seconds, LONGEST_WAIT), self._now, now_shape)
        else:
            longer = CrashWait(FIRST_WAIT, self._now, now_shape)
        self._start.append(Start(name, attempt, longer))

    def _attempt(self, name: str) -> int:
        """The number of the next run; of runs that the runtime has forgotten the status still tells."""
        latest, status = self._observed.latest(name), self._pod.status
        if latest is not None:
            return latest.attempt + 1
        told = (one for one in (*status.initContainerStatuses, *status.containerStatuses) if one.name == name)
        return next((one.restartCount + bool(one.containerID) for one in told), 0)

    def consider_deadline(self) -> None:
        """Wake when activeDeadlineSeconds runs out."""
        deadline, since = self._pod.spec.activeDeadlineSeconds, self._pod.status.startTime
        if deadline is not None and since is not None:
            self._wakes.append(since + deadline)

    def resizes(self) -> None:
        """Give what runs, and is to run on, what it is granted, or see that it has that already."""
        resize, ended = self._observed.resize, {kill.container_id for kill in self._kill}
        if resize.in_progress is None:
            return
        found = tuple(step for step in steps(self._pod, self._observed) if step.container_id not in ended)
        latest = [self._observed.latest(container.name) for container in resizable(self._pod)]
        if found or not resize.fitted:
            if self._resizing:
                self._fit, self._resize = True, found
            else:
                self._wakes.append(resize.retry_at)
        elif not self._restarting and not any(self._observed.restarting(run) for run in latest):
            self._settled = True


def _succeeded(run: cri.Container | None) -> bool:
    return run is not None and run.state is ContainerState.EXITED and run.exit_code == 0
