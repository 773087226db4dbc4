"""What a pod's status says of each container: pure.

A container that waits tells why; one that ended and will run again keeps its end in `lastState`. Reasons are
upstream's: `ContainerCreating`, `PodInitializing`, `CrashLoopBackOff`, `Completed`, `Error`, `OOMKilled`, ...
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, ContainerStatus, Pod
from pilothouse.kubelet.actual_resources import actual_resources
from pilothouse.kubelet.containers import ephemeral, is_sidecar, restarts_after, wants_restart
from pilothouse.kubelet.cri import interface as cri
from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.lifecycle import all_restart
from pilothouse.kubelet.observed import Health, ObservedPod
from pilothouse.kubelet.recursive_read_only import told_mounts
from pilothouse.runtime.clock import format_time

ALL_RESTART = "AllContainersRestarting"
"""The condition of a pod whose containers are taken away to start anew together."""
_RESTARTING_ALL = "RestartingAllContainers"
_UNKNOWN = "ContainerStatusUnknown"
_LOST = "The container could not be located when the pod was terminated"
_VANISHED = "The container could not be located when the pod was deleted.  The container used to be Running"
_REMOVED = "The container is removed because RestartAllContainers in place"
_FORGOTTEN = (
    "Unable to get init container status from container runtime and pod has been initialized, "
    "treat it as exited normally"
)
_KILLED = 137


@dataclass(frozen=True, slots=True)
class One:
    """One container's status, and what the phase is counted from."""

    name: str
    status: JsonObject
    running: bool = False
    ended: bool = False
    """Ended now, or waiting to run again after it ended."""
    waiting: bool = False
    """Has not run yet."""
    succeeded: bool = False
    """Ended with exit code 0, and does not wait to run again."""
    runs_again: bool = False
    """It has ended, and the policies have it run again."""
    exit_code: int | None = None
    """Of its last end."""


@dataclass(frozen=True, slots=True)
class Told:
    """The statuses in the order of the spec."""

    init: tuple[One, ...]
    main: tuple[One, ...]
    ephemeral: tuple[One, ...] = ()


def container_statuses(pod: Pod, observed: ObservedPod, *, over: bool) -> Told:
    """The status of every container of the spec. `over`: none of them will run any more."""
    why = "PodInitializing" if pod.spec.initContainers else "ContainerCreating"
    status = pod.status

    def told(containers: Sequence[Container], before: Sequence[ContainerStatus]) -> tuple[One, ...]:
        known = {one.name: one for one in before}
        return tuple(
            _one(_Subject(pod, container, observed, known.get(container.name, ContainerStatus()), why, over=over))
            for container in containers
        )

    return Told(
        told(pod.spec.initContainers, status.initContainerStatuses),
        told(pod.spec.containers, status.containerStatuses),
        told(ephemeral(pod), status.ephemeralContainerStatuses),
    )


@dataclass(frozen=True, slots=True)
class _Subject:
    """What one container's status is made from."""

    pod: Pod
    container: Container
    observed: ObservedPod
    before: ContainerStatus
    """As last reported."""
    why: str
    """It has not been made yet."""
    over: bool = field(kw_only=True)

    @property
    def run(self) -> cri.Container | None:
        return self.observed.latest(self.container.name)

    @property
    def initial(self) -> bool:
        """An init container that comes to an end."""
        return any(one.name == self.container.name for one in self.pod.spec.initContainers) and not is_sidecar(
            self.container
        )

    @property
    def all_restart(self) -> bool:
        """Its run was taken away because the whole pod starts anew."""
        told = any(one.type == ALL_RESTART and one.status == "True" for one in self.pod.status.conditions)
        return self.run is None and (told or all_restart(self.pod, self.observed))

    @property
    def vanished(self) -> bool:
        """It was reported to run, and the runtime knows nothing of it."""
        return self.run is None and bool(self.before.state.running)


def _one(subject: _Subject) -> One:
    container, run, before = subject.container, subject.run, subject.before
    state, last = _states(subject)
    running, terminated = "running" in state, state.get("terminated")
    added = any(one.name == container.name for one in subject.pod.spec.ephemeralContainers)
    started, ready = _readiness(subject, running=running, terminated=terminated)
    status: JsonObject = {
        "name": container.name,
        "state": state,
        "lastState": last,
        "ready": ready and not added,
        "restartCount": _restarts(subject, waiting="waiting" in state),
        "image": (run.image if run else "") or container.image,
        "imageID": run.image_ref if run else "" if "waiting" in state else before.imageID,
    }
    if not added:
        status["started"] = started
    if run is not None:
        status |= {"containerID": subject.observed.named(run)} | _resources(subject, run) | _user(run) | _signal(run)
    elif before.containerID and "waiting" not in state:
        kept = ("containerID", "allocatedResources", "resources", "user", "stopSignal")
        status |= {name: before.raw[name] for name in kept if name in before.raw}
    if mounts := told_mounts(container, run, before):
        status["volumeMounts"] = mounts
    end = terminated if terminated is not None else last.get("terminated") if "waiting" in state else None
    code = end["exitCode"] if end else None
    again = end is not None and (
        restarts_after(subject.pod, container, end["exitCode"])
        or end.get("reason") == _RESTARTING_ALL
        or subject.observed.restarting(run)
    )
    return One(
        container.name, status, running=running, ended=end is not None, waiting="waiting" in state and end is None,
        succeeded=terminated is not None and code == 0, runs_again=again, exit_code=code,
    )  # fmt: skip


def _restarts(subject: _Subject, *, waiting: bool) -> int:
    told = subject.before.restartCount or 0
    if subject.run is not None:
        return max(subject.run.attempt, told)
    gone = subject.vanished or (subject.all_restart and bool(subject.before.state.terminated))
    deleted = subject.pod.metadata.deletionTimestamp is not None
    return told + 1 if waiting and gone and not deleted else told


def _states(subject: _Subject) -> tuple[JsonObject, JsonObject]:
    """`state` and `lastState`."""
    run, before = subject.run, subject.before
    runs = subject.observed.runs(subject.container.name)
    previous = next((old for old in runs[1:] if old.state is ContainerState.EXITED), None)
    last: JsonObject = {"terminated": terminated_state(subject.observed, previous)} if previous is not None else {}
    if not last and before.lastState.terminated:
        last = before.lastState.literal()
    if run is None:
        state, last = _without_run(subject, last)
    elif run.state is ContainerState.RUNNING:
        return {"running": {"startedAt": format_time(run.started_at)}}, last
    elif run.state is ContainerState.EXITED:
        state = {"terminated": terminated_state(subject.observed, run)}
    elif run.state is ContainerState.UNKNOWN and before.state.running:
        state = {"terminated": _unseen(_UNKNOWN, _LOST)}
    else:
        state = {"waiting": {}}
    failure = subject.observed.failures.get(subject.container.name)
    leaving = subject.over or subject.pod.metadata.deletionTimestamp is not None
    again = wants_restart(subject.pod, subject.container, run) or subject.observed.restarting(run)
    if failure is None or leaving or not again:
        return state, last
    waiting = {"waiting": {"reason": failure.reason, "message": failure.message}}
    return waiting, (state if "terminated" in state else last)


def _without_run(subject: _Subject, last: JsonObject) -> tuple[JsonObject, JsonObject]:
    """Of a container that the runtime does not know, or knows no more."""
    before, waiting = subject.before, {"waiting": {"reason": subject.why}}
    if subject.all_restart and not subject.over and (before.state.running or before.state.terminated):
        removed = {"waiting": {"reason": _RESTARTING_ALL, "message": _REMOVED}}
        return removed, {"terminated": _unseen(_RESTARTING_ALL, _REMOVED)}
    if before.state.terminated:
        # The runtime has forgotten it; what was reported stays true.
        return before.state.literal(), last
    if subject.initial and any(subject.observed.latest(one.name) for one in subject.pod.spec.containers):
        return {"terminated": _unseen("Completed", _FORGOTTEN, 0)}, last
    if subject.vanished and not subject.over:
        return waiting, last or {"terminated": _unseen(_UNKNOWN, _VANISHED)}
    return waiting, last


def closed(pod: Pod, told: Told) -> Told:
    """The statuses of a pod that is over: how each container ended that may have run, be it unknown."""
    tried = max((at for at, one in enumerate(told.init) if not one.waiting), default=-1)
    last = told.init[-1] if told.init else None
    initialized = last is None or any(not one.waiting for one in told.main) or bool(
        last.status.get("started") if is_sidecar(pod.spec.initContainers[-1]) else last.exit_code == 0
    )  # fmt: skip
    return Told(
        tuple(_ended(one) if at <= tried else one for at, one in enumerate(told.init)),
        tuple(_ended(one) if initialized else one for one in told.main),
        told.ephemeral,
    )


def _ended(one: One) -> One:
    if "terminated" in one.status["state"]:
        return one
    return replace(one, status=one.status | {"state": {"terminated": _unseen(_UNKNOWN, _LOST)}})


def _unseen(reason: str, message: str, exit_code: int = _KILLED) -> JsonObject:
    """An end that nobody saw."""
    return {"exitCode": exit_code, "reason": reason, "message": message, "startedAt": None, "finishedAt": None}


def terminated_state(observed: ObservedPod, run: cri.Container) -> JsonObject:
    """How one run ended."""
    state: JsonObject = {
        "exitCode": run.exit_code,
        "reason": run.reason or ("Completed" if run.exit_code == 0 else "Error"),
        "startedAt": format_time(run.started_at),
        "finishedAt": format_time(run.finished_at),
        "containerID": observed.named(run),
    }
    return state | ({"message": run.message} if run.message else {})


def _readiness(subject: _Subject, *, running: bool, terminated: JsonObject | None) -> tuple[bool, bool]:
    """`started` and `ready`. Without a probe, running is enough for either."""
    container, run = subject.container, subject.run
    health = subject.observed.health.get(run.id, Health()) if run is not None else Health()
    if subject.initial:
        return running, terminated is not None and terminated["exitCode"] == 0
    started = running and (not container.startupProbe or bool(health.started))
    return started, started and (not container.readinessProbe or bool(health.ready))


def _resources(subject: _Subject, run: cri.Container) -> JsonObject:
    told, granted = subject.before, subject.container.resources
    same = bool(told.state.running) and told.containerID == subject.observed.named(run)
    before = told if same else ContainerStatus()
    actual = actual_resources(subject.container, run, before, subject.observed.resize)
    return {"resources": actual} | ({"allocatedResources": dict(granted.requests)} if granted.requests else {})


def _user(run: cri.Container) -> JsonObject:
    if run.user is None:
        return {}
    linux = {"uid": run.user.uid, "gid": run.user.gid, "supplementalGroups": list(run.user.groups)}
    return {"user": {"linux": linux}}


def _signal(run: cri.Container) -> JsonObject:
    """By which it is stopped: the spec's or its image's, where the runtime tells that it heeds such."""
    return {"stopSignal": run.stop_signal} if run.stop_signal else {}
