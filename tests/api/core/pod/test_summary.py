"""The word `kubectl get pods` shows. Rules: printPod in pkg/printers/internalversion/printers.go."""

# ruff: noqa: E501 - messages are quoted whole

import pytest

from pilothouse.api.core.pod.summary import summarize
from pilothouse.api.machinery.view import JsonObject

RUNNING: JsonObject = {"name": "c", "ready": True, "state": {"running": {}}}


def waiting(reason: str, **more: object) -> JsonObject:
    return {"name": "c", "state": {"waiting": {"reason": reason}}, **more}


def ended(code: int, **more: object) -> JsonObject:
    return {"name": "c", "state": {"terminated": {"exitCode": code, **more}}}


def pod(phase: str, *statuses: JsonObject, **more: object) -> JsonObject:
    return {
        "spec": {"containers": [{"name": "c"}] * max(len(statuses), 1)},
        "status": {"phase": phase, "containerStatuses": list(statuses), **more},
    }


@pytest.mark.parametrize(
    ("body", "status", "ready"),
    [
        (pod("Pending"), "Pending", 0),
        (pod("Pending", waiting("ContainerCreating")), "ContainerCreating", 0),
        (pod("Pending", waiting("ErrImagePull")), "ErrImagePull", 0),
        (pod("Running", RUNNING), "Running", 1),
        (pod("Running", waiting("CrashLoopBackOff")), "CrashLoopBackOff", 0),
        (pod("Running", RUNNING, waiting("CrashLoopBackOff")), "CrashLoopBackOff", 1),
        (pod("Succeeded", ended(0, reason="Completed")), "Completed", 0),
        (pod("Failed", ended(1, reason="Error")), "Error", 0),
        (pod("Failed", ended(137, reason="OOMKilled")), "OOMKilled", 0),
        (pod("Failed", ended(137, signal=9)), "Signal:9", 0),
        (pod("Failed", ended(3)), "ExitCode:3", 0),
        (pod("Failed", reason="Evicted"), "Evicted", 0),
        (
            pod("Running", ended(0, reason="Completed"), RUNNING, conditions=[{"type": "Ready", "status": "True"}]),
            "Running",
            1,
        ),
        (pod("Running", ended(0, reason="Completed"), RUNNING), "NotReady", 1),
        (
            pod("Pending", conditions=[{"type": "PodScheduled", "reason": "SchedulingGated", "status": "False"}]),
            "SchedulingGated",
            0,
        ),
    ],
)
def test_status_of_containers(body: JsonObject, status: str, ready: int) -> None:
    summary = summarize(body)
    assert (summary.status, summary.ready) == (status, ready)


@pytest.mark.parametrize(
    ("inits", "status"),
    [
        ([{"name": "a", "state": {"running": {}}}], "Init:0/2"),
        ([{"name": "a", "state": {"terminated": {"exitCode": 0}}}, {"name": "b", "state": {"running": {}}}], "Init:1/2"),
        ([{"name": "a", "state": {"waiting": {"reason": "PodInitializing"}}}], "Init:0/2"),
        ([{"name": "a", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}], "Init:CrashLoopBackOff"),
        ([{"name": "a", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}], "Init:Error"),
        ([{"name": "a", "state": {"terminated": {"exitCode": 1}}}], "Init:ExitCode:1"),
        ([{"name": "a", "state": {"terminated": {"exitCode": 1, "signal": 9}}}], "Init:Signal:9"),
        (
            [{"name": "a", "state": {"terminated": {"exitCode": 0}}}, {"name": "b", "state": {"terminated": {"exitCode": 0}}}],
            "PodInitializing",
        ),
    ],
)  # fmt: skip
def test_status_while_starting_up(inits: list[JsonObject], status: str) -> None:
    body = pod("Pending", waiting("PodInitializing"), initContainerStatuses=inits)
    body["spec"]["initContainers"] = [{"name": "a"}, {"name": "b"}]
    assert summarize(body).status == status


def test_sidecars_count_among_the_ready() -> None:
    body = pod("Running", RUNNING, initContainerStatuses=[
        {"name": "s", "started": True, "ready": True, "restartCount": 2, "state": {"running": {}}},
        {"name": "i", "restartCount": 5, "state": {"terminated": {"exitCode": 0}}},
    ])  # fmt: skip
    body["spec"]["initContainers"] = [{"name": "s", "restartPolicy": "Always"}, {"name": "i"}]
    summary = summarize(body)
    assert (summary.status, summary.ready, summary.total, summary.restarts) == ("Running", 2, 2, 2)


@pytest.mark.parametrize(
    ("phase", "reason", "status"),
    [
        ("Running", "", "Terminating"),
        ("Running", "NodeLost", "Unknown"),
        ("Succeeded", "", "Succeeded"),
    ],
)
def test_status_while_deleted(phase: str, reason: str, status: str) -> None:
    body = pod(phase, reason=reason)
    body["metadata"] = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert summarize(body).status == status


def test_restarts_and_the_last_of_them() -> None:
    def restarted(count: int, at: str) -> JsonObject:
        return {**RUNNING, "restartCount": count, "lastState": {"terminated": {"exitCode": 1, "finishedAt": at}}}

    body = pod("Running", restarted(1, "2026-01-01T00:01:00Z"), restarted(2, "2026-01-01T00:00:00Z"))
    summary = summarize(body)
    assert (summary.restarts, summary.last_restart) == (3, 1767225660.0)
