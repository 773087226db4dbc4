"""The columns of `kubectl get pods`, and the fields that `--field-selector` knows.

Source: printPod in pkg/printers/internalversion/printers.go; ToSelectableFields in pkg/registry/core/pod/strategy.go.
"""

from typing import Any

from pilothouse.api.core.pod.summary import summarize
from pilothouse.api.machinery.columns import AGE, NONE, field_text, human_duration, show_text
from pilothouse.api.machinery.resource import Column
from pilothouse.api.machinery.view import JsonObject
from pilothouse.runtime.clock import Instant


def _ready(pod: JsonObject, _now: Instant) -> str:
    summary = summarize(pod)
    return f"{summary.ready}/{summary.total}"


def _status(pod: JsonObject, _now: Instant) -> str:
    return summarize(pod).status


def _restarts(pod: JsonObject, now: Instant) -> str:
    summary = summarize(pod)
    if not summary.restarts or summary.last_restart is None:
        return str(summary.restarts)
    return f"{summary.restarts} ({human_duration(now - summary.last_restart)} ago)"


def pod_ip(pod: JsonObject) -> str:
    """The pod's first address; empty while it has none."""
    addresses = (pod.get("status") or {}).get("podIPs") or ()
    return (addresses[0].get("ip") or "") if addresses else ""


def _address(pod: JsonObject, _now: Instant) -> str:
    return pod_ip(pod) or NONE


def _readiness_gates(pod: JsonObject, _now: Instant) -> str:
    gates = (pod.get("spec") or {}).get("readinessGates") or ()
    if not gates:
        return NONE
    states: dict[Any, Any] = {}
    for condition in (pod.get("status") or {}).get("conditions") or ():
        states.setdefault(condition.get("type"), condition.get("status"))
    open_gates = sum(states.get(gate.get("conditionType")) == "True" for gate in gates)
    return f"{open_gates}/{len(gates)}"


COLUMNS = (
    Column("Ready", _ready, description="Ready containers out of all that shall be."),
    Column("Status", _status, description="The pod's state in one word, by phase, conditions and containers."),
    Column("Restarts", _restarts, description="How often containers were restarted, and how long ago last."),
    AGE,
    Column("IP", _address, priority=1),
    Column("Node", show_text("spec", "nodeName", absent=NONE), priority=1),
    Column("Nominated Node", show_text("status", "nominatedNodeName", absent=NONE), priority=1),
    Column("Readiness Gates", _readiness_gates, priority=1),
)

_ENDS: dict[Any, tuple[str, str]] = {
    "Succeeded": ("Succeeded", "The pod has completed successfully."),
    "Failed": ("Failed", "The pod failed."),
}


def row_conditions(pod: JsonObject) -> list[JsonObject]:
    """That a pod has ended, and how."""
    end = _ENDS.get((pod.get("status") or {}).get("phase"))
    return [{"type": "Completed", "status": "True", "reason": end[0], "message": end[1]}] if end else []


def _host_network(pod: JsonObject) -> str:
    return "true" if (pod.get("spec") or {}).get("hostNetwork") else "false"


SELECTABLE_FIELDS = {
    "spec.nodeName": field_text("spec", "nodeName"),
    "spec.restartPolicy": field_text("spec", "restartPolicy"),
    "spec.schedulerName": field_text("spec", "schedulerName"),
    "spec.serviceAccountName": field_text("spec", "serviceAccountName"),
    "spec.hostNetwork": _host_network,
    "status.phase": field_text("status", "phase"),
    "status.podIP": pod_ip,
    "status.nominatedNodeName": field_text("status", "nominatedNodeName"),
}
