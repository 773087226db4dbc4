"""What a pod's status says of each container: pure.

A container that waits tells why; one that ended and will run again keeps its end in `lastState`. Reasons are
upstream's: `ContainerCreating`, `PodInitializing`, `CrashLoopBackOff`, `Completed`, `Error`, `OOMKilled`, ...
"""

from dataclasses import dataclass

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, ContainerStatus, Pod
from pilothouse.kubelet.containers import is_sidecar, wants_restart
from pilothouse.kubelet.cri import interface as cri
from pilothouse.kubelet.cri.interface import ContainerState
from pilothouse.kubelet.observed import Health, ObservedPod
from pilothouse.runtime.clock import format_time

RUNTIME = "containerd"
_LOST = "The container could not be located when the pod was terminated"


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
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """The statuses in the order of the spec."""

    init: tuple[One, ...]
    main: tuple[One, ...]


def container_statuses(pod: Pod, observed: ObservedPod, *, over: bool) -> Told:
    """The status of every container of the spec."""
    init = tuple(
        _one(pod, container, observed, _before(pod.status.initContainerStatuses, container.name), "PodInitializing",
             initial=True, over=over)
        for container in pod.spec.initContainers
    )  # fmt: skip
    initialized = all(
        one.status["started"] if is_sidecar(container) else one.succeeded
        for container, one in zip(pod.spec.initContainers, init, strict=True)
    )
    why = "ContainerCreating" if initialized else "PodInitializing"
    main = tuple(
        _one(pod, container, observed, _before(pod.status.containerStatuses, container.name), why,
             initial=False, over=over)
        for container in pod.spec.containers
    )  # fmt: skip
    return Told(init, main)


def _before(statuses: tuple[ContainerStatus, ...], name: str) -> ContainerStatus:
    return next((status for status in statuses if status.name == name), ContainerStatus())


def _one(
    pod: Pod, container: Container, observed: ObservedPod, before: ContainerStatus, why: str, *, initial: bool,
    over: bool,
) -> One:  # fmt: skip
    run = observed.latest(container.name)
    previous = next((old for old in observed.runs(container.name)[1:] if old.state is ContainerState.EXITED), None)
    state, last = _states(pod, container, observed, run, previous, before, why, over=over)
    running, terminated = "running" in state, state.get("terminated")
    health = observed.health.get(run.id) if run is not None else None
    started, ready = _readiness(container, health, running=running, terminated=terminated, initial=initial)
    status: JsonObject = {
        "name": container.name,
        "state": state,
        "lastState": last,
        "ready": ready,
        "restartCount": max(run.attempt if run else 0, before.restartCount or 0),
        "image": container.image,
        "imageID": run.image_ref if run else before.imageID,
        "started": started,
    }
    if run is not None:
        status["containerID"] = f"{RUNTIME}://{run.id}"
    elif before.containerID:
        status["containerID"] = before.containerID
    status |= _resources(container) | _mounts(container)
    ended = terminated is not None or ("waiting" in state and "terminated" in last)
    code = terminated["exitCode"] if terminated is not None else None
    return One(
        container.name, status, running=running, ended=ended, waiting="waiting" in state and not ended,
        succeeded=code == 0, failed=code not in (None, 0),
    )  # fmt: skip


def _states(
    pod: Pod, container: Container, observed: ObservedPod, run: cri.Container | None, previous: cri.Container | None,
    before: ContainerStatus, why: str, *, over: bool,
) -> tuple[JsonObject, JsonObject]:  # fmt: skip
    """`state` and `lastState`."""
    last: JsonObject = {"terminated": terminated_state(previous)} if previous is not None else {}
    if not last and before.lastState.terminated:
        last = before.lastState.literal()
    failure = observed.failures.get(container.name)
    waiting: JsonObject = {"reason": why} if failure is None else {"reason": failure.reason, "message": failure.message}
    if run is not None and run.state is ContainerState.RUNNING:
        return {"running": {"startedAt": format_time(run.started_at)}}, last
    if run is not None and run.state is ContainerState.EXITED:
        ended = terminated_state(run)
        if failure is not None and not over and wants_restart(pod, container, run):
            return {"waiting": waiting}, {"terminated": ended}
        return {"terminated": ended}, last
    if run is None and before.state.terminated:
        # The runtime has forgotten it; what was reported stays true.
        return before.state.literal(), last
    if over and before.state.running:
        lost = {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": _LOST, "startedAt": None,
                "finishedAt": None}  # fmt: skip
        return {"terminated": lost}, last
    return {"waiting": waiting}, last


def terminated_state(run: cri.Container) -> JsonObject:
    """How one run ended."""
    state: JsonObject = {
        "exitCode": run.exit_code,
        "reason": run.reason or ("Completed" if run.exit_code == 0 else "Error"),
        "startedAt": format_time(run.started_at),
        "finishedAt": format_time(run.finished_at),
        "containerID": f"{RUNTIME}://{run.id}",
    }
    return state | ({"message": run.message} if run.message else {})


def _readiness(
    container: Container, health: Health | None, *, running: bool, terminated: JsonObject | None, initial: bool
) -> tuple[bool, bool]:
    """`started` and `ready`. Without a probe, running is enough for either."""
    if initial and not is_sidecar(container):
        return False, terminated is not None and terminated["exitCode"] == 0
    health = health or Health()
    started = running and (not container.startupProbe or bool(health.started))
    ready = started and (not container.readinessProbe or bool(health.ready))
    return started, ready


def _resources(container: Container) -> JsonObject:
    told: JsonObject = {"resources": container.resources.literal()}
    if container.resources.requests:
        told["allocatedResources"] = dict(container.resources.requests)
    return told


def _mounts(container: Container) -> JsonObject:
    mounts: list[JsonObject] = []
    for mount in container.volumeMounts:
        told: JsonObject = {"name": mount.name, "mountPath": mount.mountPath}
        if mount.readOnly:
            told |= {"readOnly": True, "recursiveReadOnly": "Disabled"}
        mounts.append(told)
    return {"volumeMounts": mounts} if mounts else {}
