"""Decides what happens next to a pod: pure, from its spec and what is observed, to a list of steps.

Read `plan` first. It never looks at history other than what the runtime still holds, so a kubelet that restarts
decides as the one before it would have. API page: "Pod Lifecycle"; back-off of upstream: 10 s doubling to 5 min,
forgotten after 10 min of good running.
"""

from dataclasses import dataclass, field, replace

from pilothouse.api.types.core_v1 import Container, Pod
from pilothouse.kubelet.containers import describe, is_sidecar, main_and_init, shape, wants_restart
from pilothouse.kubelet.cri import interface as cri
from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.durations import go_duration
from pilothouse.kubelet.observed import CrashWait, Failure, ObservedPod
from pilothouse.runtime.clock import Instant

FIRST_WAIT = 10.0
LONGEST_WAIT = 300.0
SHAPE_LABEL = "io.kubernetes.container.hash"


@dataclass(frozen=True, slots=True)
class Kill:
    """End one run of a container; `message` is the event's."""

    container_id: str
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Start:
    """Begin run number `attempt` of a container."""

    name: str
    attempt: int
    wait: CrashWait | None = None
    """To be remembered: the wait should this run end."""


@dataclass(frozen=True, slots=True)
class PodPlan:
    """Steps, done in the order of the fields. No steps: wait for news, or until `wake_at`."""

    stop_sandboxes: tuple[str, ...] = ()
    sandbox_changed: bool = False
    """A sandbox that was in use is replaced: worth an event."""
    kill: tuple[Kill, ...] = ()
    create_sandbox: int | None = None
    """Number of the sandbox to make."""
    start: tuple[Start, ...] = ()
    remove: tuple[str, ...] = ()
    """Old runs that nobody can ask for any more."""
    failures: dict[str, Failure] = field(default_factory=dict)
    """Containers that wait, with the reason to show."""
    wake_at: Instant | None = None
    finished: bool = False
    """Nothing of this pod will run again."""

    @property
    def steps(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.stop_sandboxes or self.kill or self.create_sandbox is not None or self.start or self.remove)


def plan(pod: Pod, observed: ObservedPod, now: Instant) -> PodPlan:
    """The next steps for a pod that is to run."""
    if past_deadline(pod, now) or _init_failed(pod, observed) or _all_done(pod, observed):
        return PodPlan(finished=True)
    attempt = sandbox_needed(pod, observed)
    if attempt is not None:
        return _replace_sandbox(pod, observed, attempt)
    draft = _Draft(pod, observed, now)
    draft.review_running()
    if draft.init_containers():
        for container in pod.spec.containers:
            draft.consider(container)
    draft.consider_deadline()
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
        run is not None and run.state is ContainerState.EXITED and not wants_restart(pod, container, run)
        for container, run in runs
    )


def _init_failed(pod: Pod, observed: ObservedPod) -> bool:
    if (pod.spec.restartPolicy or "Always") != "Never" or _has_begun(pod, observed):
        return False
    runs = [observed.active(c.name) for c in pod.spec.initContainers if not is_sidecar(c)]
    return any(run is not None and run.state is ContainerState.EXITED and run.exit_code != 0 for run in runs)


def _has_begun(pod: Pod, observed: ObservedPod) -> bool:
    """Whether a main container has been made in this sandbox: then initialization is over."""
    return any(observed.active(container.name) is not None for container in pod.spec.containers)


def _replace_sandbox(pod: Pod, observed: ObservedPod, attempt: int) -> PodPlan:
    old = tuple(sandbox.id for sandbox in observed.sandboxes if sandbox.ready) or tuple(
        sandbox.id for sandbox in observed.sandboxes[:1] if observed.running()
    )
    never_again = (pod.spec.restartPolicy or "Always") == "Never" and attempt > 0 and observed.containers
    if never_again:
        return PodPlan(stop_sandboxes=old, finished=not old)
    return PodPlan(stop_sandboxes=old, sandbox_changed=attempt > 0, create_sandbox=attempt)


def _outdated(pod: Pod, observed: ObservedPod) -> tuple[str, ...]:
    """Runs before the last but one, which `logs --previous` cannot reach."""
    return tuple(run.id for container in main_and_init(pod) for run in observed.runs(container.name)[2:])


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

    def result(self) -> PodPlan:
        return PodPlan(
            kill=tuple(self._kill), start=tuple(self._start), failures=self._failures,
            wake_at=min(self._wakes, default=None),
        )  # fmt: skip

    def review_running(self) -> None:
        """Kill what must not run on: failed probes, and a changed image."""
        for container in main_and_init(self._pod):
            run = self._observed.active(container.name)
            if run is None or run.state is not ContainerState.RUNNING:
                continue
            health = self._observed.health.get(run.id)
            message = ""
            if SHAPE_LABEL in run.annotations and run.annotations[SHAPE_LABEL] != shape(container):
                message = f"Container {container.name} definition changed"
            elif health is not None and health.live is False:
                message = f"Container {container.name} failed liveness probe"
            elif health is not None and health.startup_failed:
                message = f"Container {container.name} failed startup probe"
            if message:
                again = (self._pod.spec.restartPolicy or "Always") != "Never" or is_sidecar(container)
                self._kill.append(Kill(run.id, container.name, f"{message}, will be restarted" if again else message))

    def init_containers(self) -> bool:
        """Bring the init containers forward; true when the main ones may run."""
        begun = _has_begun(self._pod, self._observed)
        for container in self._pod.spec.initContainers:
            run = self._observed.active(container.name)
            if is_sidecar(container):
                self.consider(container)
                if not begun and not self._started(container, run):
                    return False
            elif not begun and not _succeeded(run):
                self.consider(container)
                return False
        return True

    def _started(self, container: Container, run: cri.Container | None) -> bool:
        if run is None or run.state is not ContainerState.RUNNING:
            return False
        if not container.startupProbe:
            return True
        health = self._observed.health.get(run.id)
        return health is not None and bool(health.started)

    def consider(self, container: Container) -> None:
        """Start the container, or say until when it waits, or leave it."""
        name = container.name
        latest, active = self._observed.latest(name), self._observed.active(name)
        if active is not None and active.state is ContainerState.RUNNING:
            return
        if active is None and latest is not None and latest.state is ContainerState.EXITED:
            # It ran in a sandbox that is gone: what ended well under OnFailure stays done.
            done = (self._pod.spec.restartPolicy or "Always") == "OnFailure" and latest.exit_code == 0
            initial = any(one.name == name for one in self._pod.spec.initContainers)
            if done and not initial:
                return
        elif not wants_restart(self._pod, container, latest):
            return
        failure = self._observed.failures.get(name)
        if failure is not None and failure.retry_at > self._now:
            self._wakes.append(failure.retry_at)
            return
        self._start_or_wait(container, latest)

    def _start_or_wait(self, container: Container, latest: cri.Container | None) -> None:
        if latest is None:
            self._start.append(Start(container.name, 0))
            return
        wait = self._observed.waits.get(container.name)
        ended = latest.finished_at
        if wait is not None and ended - wait.since <= 2 * LONGEST_WAIT:
            until = ended + wait.seconds
            if self._now < until:
                message = crash_message(self._pod, container, wait)
                self._failures[container.name] = Failure("CrashLoopBackOff", message)
                self._wakes.append(until)
                return
            longer = CrashWait(min(2 * wait.seconds, LONGEST_WAIT), self._now)
        else:
            longer = CrashWait(FIRST_WAIT, self._now)
        self._start.append(Start(container.name, latest.attempt + 1, longer))

    def consider_deadline(self) -> None:
        """Wake when activeDeadlineSeconds runs out."""
        deadline, since = self._pod.spec.activeDeadlineSeconds, self._pod.status.startTime
        if deadline is not None and since is not None:
            self._wakes.append(since + deadline)


def _succeeded(run: cri.Container | None) -> bool:
    return run is not None and run.state is ContainerState.EXITED and run.exit_code == 0
