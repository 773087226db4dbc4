"""The one word that `kubectl get pods` shows for a pod, and its counts of ready containers and restarts.

Source: printPod in pkg/printers/internalversion/printers.go. The word is the most telling of what phase, conditions and
containers say: a later rule overrides an earlier one. Clients match on these words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse.api.core.pod.resources import is_sidecar
from pilothouse.api.core.pod.strategy import TERMINAL_PHASES
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant, parse_time


@dataclass(slots=True)
class PodSummary:
    """What a row about a pod says of its state."""

    status: str
    """Running, Completed, CrashLoopBackOff, Init:0/1, Terminating, ..."""
    ready: int = 0
    total: int = 0
    restarts: int = 0
    last_restart: Instant | None = None


def summarize(pod: JsonObject) -> PodSummary:
    """Sum up a pod."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    conditions = status.get("conditions") or ()
    inits = {container.get("name"): container for container in spec.get("initContainers") or ()}
    sidecars = frozenset(name for name, container in inits.items() if is_sidecar(container))
    summary = PodSummary(status.get("reason") or status.get("phase") or "")
    summary.total = len(spec.get("containers") or ()) + len(sidecars)
    if any(c.get("type") == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in conditions):
        summary.status = "SchedulingGated"
    word = _start_up(summary, status.get("initContainerStatuses") or (), sidecars, len(inits))
    if word is not None:
        summary.status = word
    if word is None or _is_true(conditions, "Initialized"):
        _containers(summary, status, sidecars)
    if (pod.get("metadata") or {}).get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            summary.status = "Unknown"
        elif status.get("phase") not in TERMINAL_PHASES:
            summary.status = "Terminating"
    return summary


def _start_up(summary: PodSummary, statuses: Sequence[JsonObject], sidecars: frozenset[str], count: int) -> str | None:
    """Go through the init containers up to the first that is not done; what that one says, or None."""
    for position, container in enumerate(statuses):
        _count_restarts(summary, container)
        state = container.get("state") or {}
        ended = state.get("terminated")
        if ended is not None and not ended.get("exitCode"):
            continue
        if container.get("name") in sidecars and container.get("started"):
            summary.ready += bool(container.get("ready"))
            continue
        if ended is not None:
            return f"Init:{_end(ended)}"
        waiting = (state.get("waiting") or {}).get("reason") or ""
        if waiting and waiting != "PodInitializing":
            return f"Init:{waiting}"
        return f"Init:{position}/{count}"
    return None


def _containers(summary: PodSummary, status: JsonObject, sidecars: frozenset[str]) -> None:
    """Once the pod has started up, the first container that has something to tell gives the word."""
    summary.restarts, summary.last_restart = 0, None
    for container in _visited(status.get("initContainerStatuses") or (), sidecars):
        if container.get("name") in sidecars:
            _count_restarts(summary, container)
    running = False
    for container in reversed(status.get("containerStatuses") or ()):
        _count_restarts(summary, container)
        state = container.get("state") or {}
        if waiting := (state.get("waiting") or {}).get("reason"):
            summary.status = waiting
        elif (ended := state.get("terminated")) is not None:
            summary.status = _end(ended)
        elif container.get("ready") and state.get("running") is not None:
            running = True
            summary.ready += 1
    if summary.status == "Completed" and running:
        ready = _is_true(status.get("conditions") or (), "Ready")
        summary.status = "Running" if ready else "NotReady"


def _visited(statuses: Sequence[JsonObject], sidecars: frozenset[str]) -> Sequence[JsonObject]:
    """The init containers up to the first that is not done, as `_start_up` goes through them."""
    for position, container in enumerate(statuses):
        ended = (container.get("state") or {}).get("terminated")
        done = ended is not None and not ended.get("exitCode")
        if not done and not (container.get("name") in sidecars and container.get("started")):
            return statuses[: position + 1]
    return statuses


def _count_restarts(summary: PodSummary, container: JsonObject) -> None:
    summary.restarts += container.get("restartCount") or 0
    ended = (container.get("lastState") or {}).get("terminated")
    if ended and ended.get("finishedAt"):
        finished = parse_time(ended["finishedAt"])
        summary.last_restart = max(summary.last_restart or finished, finished)


def _end(ended: JsonObject) -> str:
    """How a container ended."""
    if ended.get("reason"):
        return str(ended["reason"])
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode', 0)}"


def _is_true(conditions: Sequence[JsonObject], kind: str) -> bool:
    return any(condition.get("type") == kind and condition.get("status") == "True" for condition in conditions)
