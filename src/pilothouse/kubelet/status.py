"""What a pod's status says: pure, from its spec, its last status and what is observed.

Phases, reasons and condition messages are upstream's, because people and controllers match on them. API pages:
"Pod Lifecycle" and pod-v1, PodStatus. Container statuses are in `container_status`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.actual_resources import pod_resources
from pilothouse.kubelet.container_status import ALL_RESTART, One, Told, closed, container_statuses
from pilothouse.kubelet.containers import is_sidecar, may_restart_all
from pilothouse.kubelet.lifecycle import all_restart, sandbox_needed
from pilothouse.kubelet.observed import ObservedPod
from pilothouse.kubelet.resources.qos import qos_class
from pilothouse.runtime.clock import Instant, format_time

PASSING = ("PodResizePending", "PodResizeInProgress")
"""Conditions that are there only while they are true."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An end that does not follow from the containers: a deadline, a refusal, an eviction."""

    phase: str
    reason: str
    message: str
    conditions: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    """What is told besides: status, reason and message by type, such as `DisruptionTarget`."""


def deadline_exceeded() -> Verdict:
    """The pod ran longer than activeDeadlineSeconds."""
    return Verdict("Failed", "DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


def pod_status(
    pod: Pod,
    observed: ObservedPod,
    now: Instant,
    host_ips: Sequence[str],
    *,
    over: bool = False,
    verdict: Verdict | None = None,
) -> JsonObject:
    """The whole status. `over`: the pod is being ended and its processes are gone, nothing will start any more."""
    told = container_statuses(pod, observed, over=over)
    phase = verdict.phase if verdict else phase_of(pod, told, over=over)
    if pod.status.phase in ("Failed", "Succeeded"):
        phase = pod.status.phase
    told = closed(pod, told) if over else told
    status: JsonObject = {
        "observedGeneration": pod.metadata.generation or 0,
        "phase": phase,
        "qosClass": pod.status.qosClass or qos_class(pod),
        "startTime": format_time(pod.status.startTime if pod.status.startTime is not None else now),
        "hostIP": host_ips[0] if host_ips else "",
        "hostIPs": [{"ip": ip} for ip in host_ips],
        "conditions": _conditions(pod, observed, told, phase, now, verdict.conditions if verdict else {}),
        "containerStatuses": _listed(told.main),
        **pod_resources(pod, observed.resize),
    }
    if told.init:
        status["initContainerStatuses"] = [one.status for one in told.init]
    if told.ephemeral:
        status["ephemeralContainerStatuses"] = _listed(told.ephemeral)
    if ips := pod_ips(pod, observed, host_ips):
        status |= {"podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips]}
    reason = verdict.reason if verdict else pod.status.reason if phase == "Failed" else ""
    message = verdict.message if verdict else pod.status.message if phase == "Failed" else ""
    return status | ({"reason": reason} if reason else {}) | ({"message": message} if message else {})


def _listed(told: Sequence[One]) -> list[JsonObject]:
    """By name: upstream keeps the spec's order for init containers alone."""
    return [one.status for one in sorted(told, key=lambda one: one.name)]


def pod_ips(pod: Pod, observed: ObservedPod, host_ips: Sequence[str]) -> tuple[str, ...]:
    """The pod's addresses; what was reported stays after the sandbox is gone."""
    if pod.spec.hostNetwork:
        return tuple(host_ips)
    if observed.sandbox is not None and observed.sandbox.ips:
        return observed.sandbox.ips
    return tuple(known.ip for known in pod.status.podIPs)


def phase_of(pod: Pod, told: Told, *, over: bool) -> str:
    """Pending, Running, Succeeded or Failed. A pod that was ended before it came to anything has failed."""
    phase = _phase(pod, told, over=over)
    return phase if phase in ("Succeeded", "Failed") or not over else "Failed"


def _phase(pod: Pod, told: Told, *, over: bool) -> str:
    inits = zip(pod.spec.initContainers, told.init, strict=True)
    regular = [one for container, one in inits if not is_sidecar(container)]
    if any(one.exit_code and not one.runs_again for one in regular):
        return "Failed"
    begun = any(one.running or one.ended for one in told.main)
    if not begun and any(not one.ended for one in regular):
        return "Pending"
    if any(one.waiting for one in told.main):
        return "Pending"
    if any(one.running for one in told.main):
        return "Running"
    if not begun:
        return "Pending"
    if not over and any(one.runs_again for one in told.main):
        return "Running"
    return "Succeeded" if all(one.succeeded for one in told.main) else "Failed"


def _conditions(
    pod: Pod, observed: ObservedPod, told: Told, phase: str, now: Instant, more: Mapping[str, tuple[str, str, str]]
) -> list[JsonObject]:  # fmt: skip
    networked = sandbox_needed(pod, observed) is None
    containers_ready = _containers_ready(pod, told, phase)
    found = {
        "PodReadyToStartContainers": ("True" if networked else "False", "", ""),
        "Initialized": _initialized(pod, told, phase),
        "Ready": _ready(pod, containers_ready),
        "ContainersReady": containers_ready,
        "PodScheduled": ("True", "", ""),
    }
    if may_restart_all(pod):
        found[ALL_RESTART] = _all_restarting(pod, observed, phase)
    old = {condition.type: condition.raw for condition in pod.status.conditions}
    found |= more
    generation = pod.metadata.generation or 0
    written = [_condition(kind, value, old.get(kind, {}), generation, now) for kind, value in found.items()]
    for kind, note in zip(PASSING, (observed.resize.pending, observed.resize.in_progress), strict=True):
        if note is not None and phase not in ("Failed", "Succeeded"):
            value = ("True", note.reason, note.message)
            written.append(_condition(kind, value, old.get(kind, {}), note.generation, now))
    return written + [dict(raw) for kind, raw in old.items() if kind not in found and kind not in PASSING]


def _condition(
    kind: str, value: tuple[str, str, str], old: Mapping[str, Any], generation: int, now: Instant
) -> JsonObject:  # fmt: skip
    status, reason, message = value
    since = old.get("lastTransitionTime") if old.get("status") == status else None
    condition: JsonObject = {
        "type": kind,
        "status": status,
        "observedGeneration": generation,
        "lastProbeTime": None,
        "lastTransitionTime": since or format_time(now),
    }
    return condition | ({"reason": reason} if reason else {}) | ({"message": message} if message else {})


def _names(names: Sequence[str]) -> str:
    return f"[{' '.join(names)}]"


def _containers_ready(pod: Pod, told: Told, phase: str) -> tuple[str, str, str]:
    if phase == "Succeeded":
        return "False", "PodCompleted", ""
    if phase == "Failed":
        return "False", "PodFailed", ""
    sidecars = [one for container, one in zip(pod.spec.initContainers, told.init, strict=True) if is_sidecar(container)]
    unready = [one.name for one in (*sidecars, *told.main) if not one.status["ready"]]
    if unready:
        return "False", "ContainersNotReady", f"containers with unready status: {_names(unready)}"
    return "True", "", ""


def _ready(pod: Pod, containers_ready: tuple[str, str, str]) -> tuple[str, str, str]:
    if containers_ready[0] != "True":
        return containers_ready
    known = {condition.type: condition.status for condition in pod.status.conditions}
    complaints = []
    for gate in (gate.conditionType for gate in pod.spec.readinessGates):
        if gate not in known:
            complaints.append(f'corresponding condition of pod readiness gate "{gate}" does not exist.')
        elif known[gate] != "True":
            complaints.append(f'the status of pod readiness gate "{gate}" is not "True", but {known[gate]}')
    return ("False", "ReadinessGatesNotReady", ", ".join(complaints)) if complaints else ("True", "", "")


def _all_restarting(pod: Pod, observed: ObservedPod, phase: str) -> tuple[str, str, str]:
    """Whether the containers are being taken away to start anew together (KEP-5532)."""
    if phase in ("Succeeded", "Failed"):
        return "False", "PodCompleted" if phase == "Succeeded" else "PodFailed", ""
    if all_restart(pod, observed):
        return "True", "RestartAllContainersStarted", "container exited with restart policy rule"
    return "False", "", ""


def _initialized(pod: Pod, told: Told, phase: str) -> tuple[str, str, str]:
    if phase == "Succeeded":
        return "True", "PodCompleted", ""
    if any(one.running or one.ended for one in told.main):
        return "True", "", ""
    incomplete = [
        one.name
        for container, one in zip(pod.spec.initContainers, told.init, strict=True)
        if not one.status["started" if is_sidecar(container) else "ready"]
    ]
    if incomplete:
        return "False", "ContainersNotInitialized", f"containers with incomplete status: {_names(incomplete)}"
    return "True", "", ""
