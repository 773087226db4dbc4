"""Simulated pod: what a kubelet would report of a pod whose containers are only imagined.

`plan` is pure: it reads what the API says of the pod, since when it has been at this stage, and returns what to
report and when to look again. Annotations let a pod's containers end, or be slow to answer:
`pilothouse.dev/exit-code`, `pilothouse.dev/run-seconds`, `pilothouse.dev/ready-after`.
API page: Pod Lifecycle.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse.api.machinery.conditions import FALSE, TRUE, condition, set_condition
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Container, ContainerStatus, Pod
from pilothouse.runtime.clock import Instant, format_time

EXIT_CODE = "pilothouse.dev/exit-code"
RUN_SECONDS = "pilothouse.dev/run-seconds"
READY_AFTER = "pilothouse.dev/ready-after"
BACK_OFF_SECONDS, MOST_BACK_OFF_SECONDS = 10.0, 300.0
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long each stage of an imagined pod takes, in seconds."""

    start: float = 1.0
    """From being seen to running."""
    ready: float = 0.0
    """From running to ready."""
    run: float = 1.0
    """From running to the end, for pods with an exit code."""
    stop: float = 1.0
    """From being told to end to having ended; never longer than the pod's grace period."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pod runs: the addresses of its node, and its own."""

    host_ip: str
    pod_ip: str


class Stage(enum.Enum):
    """How far a pod has come."""

    NEW = "new"
    STARTING = "starting"
    RUNNING = "running"
    BACKING_OFF = "backing off"
    STOPPING = "stopping"
    ENDED = "ended"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Step:
    """What to do now: report a status, or delete for good; and after how many seconds to look again."""

    status: JsonObject | None = None
    delete: bool = False
    after: float | None = None


def stage(pod: Pod) -> Stage:
    """Read from the API alone, so that it survives us."""
    status, going = pod.status, pod.metadata.deletionTimestamp is not None
    if status.phase in _ENDED:
        return Stage.GONE if going else Stage.ENDED
    if going:
        return Stage.STOPPING
    if status.startTime is None:
        return Stage.NEW
    if status.phase != "Running":
        return Stage.STARTING
    if any(found.state.waiting.reason == "CrashLoopBackOff" for found in status.containerStatuses):
        return Stage.BACKING_OFF
    return Stage.RUNNING


def restarts(pod: Pod) -> int:
    """The most that any of its containers was restarted."""
    return max((found.restartCount for found in pod.status.containerStatuses), default=0)


def plan(pod: Pod, place: Place, pace: Pace, since: Instant, now: Instant) -> Step:
    """What to report. `since` is when the pod came to its stage."""
    at = stage(pod)
    elapsed = now - since
    if at is Stage.NEW:
        return Step(_starting(pod, place, now), after=0.0)
    if at is Stage.STARTING:
        left = pace.start - elapsed
        return Step(after=left) if left > 0 else Step(_running(pod, place, now, ready=_ready_after(pod, pace) <= 0))
    if at is Stage.BACKING_OFF:
        left = min(BACK_OFF_SECONDS * 2 ** restarts(pod), MOST_BACK_OFF_SECONDS) - elapsed
        if left > 0:
            return Step(after=left)
        return Step(_running(pod, place, now, ready=_ready_after(pod, pace) <= 0, restarted=1))
    if at is Stage.STOPPING:
        left = min(pace.stop, _grace(pod)) - elapsed
        return Step(after=left) if left > 0 else Step(_ended(pod, now, _exit_code(pod) or 0))
    if at is Stage.GONE:
        return Step(delete=True)
    return _while_running(pod, place, pace, elapsed, now) if at is Stage.RUNNING else Step()


def _while_running(pod: Pod, place: Place, pace: Pace, elapsed: float, now: Instant) -> Step:
    code = _exit_code(pod)
    to_end = None if code is None else _number(pod, RUN_SECONDS, pace.run) - elapsed
    if code is not None and to_end is not None and to_end <= 0:
        policy = pod.spec.restartPolicy
        if policy == "Always" or (policy == "OnFailure" and code != 0):
            return Step(_backing_off(pod, place, now, code))
        return Step(_ended(pod, now, code))
    to_ready = _ready_after(pod, pace) - elapsed
    if to_ready > 0:
        return Step(after=to_ready if to_end is None else min(to_ready, to_end))
    wanted = _running(pod, place, now, ready=True)
    return Step(None if _says(pod, wanted) else wanted, after=to_end)


def _says(pod: Pod, wanted: JsonObject) -> bool:
    """Whether the pod's status says what we would."""
    return all(pod.status.raw.get(name) == value for name, value in wanted.items())


def _starting(pod: Pod, place: Place, now: Instant) -> JsonObject:
    waiting: JsonObject = {"waiting": {"reason": "ContainerCreating"}}
    return {
        "phase": "Pending",
        "startTime": format_time(now),
        "hostIP": place.host_ip,
        "hostIPs": [{"ip": place.host_ip}],
        **_containers(pod, waiting, started=False),
        **_common(pod, _conditions(pod, now, ready=False, sandbox=False, why="ContainersNotReady")),
    }


def _running(pod: Pod, place: Place, now: Instant, *, ready: bool, restarted: int = 0) -> JsonObject:
    state: JsonObject = {"running": {"startedAt": format_time(now)}}
    return {
        "phase": "Running",
        "hostIP": place.host_ip,
        "hostIPs": [{"ip": place.host_ip}],
        "podIP": place.pod_ip,
        "podIPs": [{"ip": place.pod_ip}],
        **_containers(pod, state, started=True, ready=ready, restarted=restarted),
        **_common(pod, _conditions(pod, now, ready=ready, sandbox=True, why="ContainersNotReady")),
    }


def _backing_off(pod: Pod, place: Place, now: Instant, code: int) -> JsonObject:
    """A container has ended and will be started anew."""
    status = _running(pod, place, now, ready=False)
    ended = _terminated(pod, now, code)
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}}
    status["containerStatuses"] = [
        {**found, "state": waiting, "lastState": ended, "ready": False, "started": False}
        for found in status["containerStatuses"]
    ]
    return status


def _ended(pod: Pod, now: Instant, code: int) -> JsonObject:
    """All containers have ended."""
    reason = "PodCompleted" if code == 0 else "PodFailed"
    return {
        "phase": "Succeeded" if code == 0 else "Failed",
        **_containers(pod, _terminated(pod, now, code), started=False),
        **_common(pod, _conditions(pod, now, ready=False, sandbox=False, why=reason)),
    }


def _terminated(pod: Pod, now: Instant, code: int) -> JsonObject:
    started = next((one.state.running.startedAt for one in pod.status.containerStatuses), None)
    return {
        "terminated": {
            "exitCode": code,
            "reason": "Completed" if code == 0 else "Error",
            "startedAt": format_time(started or now),
            "finishedAt": format_time(now),
        }
    }


def _common(pod: Pod, conditions: Sequence[JsonObject]) -> JsonObject:
    generation = pod.metadata.generation
    return {"conditions": list(conditions), **({"observedGeneration": generation} if generation else {})}


def _conditions(pod: Pod, now: Instant, *, ready: bool, sandbox: bool, why: str) -> list[JsonObject]:
    """All conditions that the pod has, with ours as they are now."""
    conditions = [dict(found.raw) for found in pod.status.conditions]
    given = {found.type: found.status for found in pod.status.conditions}
    unmet = [gate.conditionType for gate in pod.spec.readinessGates if given.get(gate.conditionType) != TRUE]
    names = " ".join(container.name for container in pod.spec.containers)
    message = f"containers with unready status: [{names}]" if why == "ContainersNotReady" else ""
    reason = "" if ready else why
    whole = (TRUE, "", "") if ready and not unmet else (FALSE, reason or "ReadinessGatesNotReady", message)
    for kind, status, because, told in (
        ("PodReadyToStartContainers", TRUE if sandbox else FALSE, "", ""),
        ("Initialized", TRUE, "", ""),
        ("Ready", *whole),
        ("ContainersReady", TRUE if ready else FALSE, reason, message if not ready else ""),
        ("PodScheduled", TRUE, "", ""),
    ):
        generation = pod.metadata.generation or None
        set_condition(conditions, condition(kind, status, because, told, observed_generation=generation), now)
    return conditions


def _containers(pod: Pod, state: JsonObject, *, started: bool, ready: bool = False, restarted: int = 0) -> JsonObject:
    known = {found.name: found for found in (*pod.status.initContainerStatuses, *pod.status.containerStatuses)}
    statuses = [
        _container(pod, container, known.get(container.name), state, started=started, ready=ready, restarted=restarted)
        for container in pod.spec.containers
    ]
    done: JsonObject = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    first = [
        _container(
            pod, container, None, state if _is_sidecar(container) else done, started=started, ready=ready or started
        )
        for container in pod.spec.initContainers
    ]
    return {"containerStatuses": statuses, **({"initContainerStatuses": first} if first else {})}


def _container(
    pod: Pod,
    container: Container,
    known: ContainerStatus | None,
    state: JsonObject,
    *,
    started: bool,
    ready: bool,
    restarted: int = 0,
) -> JsonObject:
    """One container's status; one that runs on keeps the time at which it started."""
    if known is not None and not restarted and "running" in state and "running" in (known.state.raw or {}):
        state = dict(known.state.raw)
    count = (known.restartCount if known is not None else 0) + restarted
    status: JsonObject = {
        "name": container.name,
        "image": container.image,
        "imageID": f"{container.image}@simulated",
        "state": state,
        "lastState": dict(known.lastState.raw or {}) if known is not None else {},
        "ready": ready,
        "started": started,
        "restartCount": count,
    }
    if "waiting" not in state:
        status["containerID"] = f"simulated://{pod.metadata.uid}/{container.name}/{count}"
    return status


def _is_sidecar(container: Container) -> bool:
    return container.restartPolicy == "Always"


def _exit_code(pod: Pod) -> int | None:
    text = pod.metadata.annotations.get(EXIT_CODE, "")
    return int(text) if text.isdigit() else None


def _number(pod: Pod, annotation: str, default: float) -> float:
    """The seconds that an annotation says; the default where it says none."""
    text = pod.metadata.annotations.get(annotation, "")
    return float(text) if text.replace(".", "", 1).isdigit() else default


def _ready_after(pod: Pod, pace: Pace) -> float:
    return _number(pod, READY_AFTER, pace.ready)


def _grace(pod: Pod) -> float:
    grace = pod.metadata.deletionGracePeriodSeconds
    return float(grace if grace is not None else 30)
