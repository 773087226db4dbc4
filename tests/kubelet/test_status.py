"""Phase, conditions and the rest of a pod's status, as upstream's getPhase and status/generate.go have them."""

from typing import Any

import pytest

from kubelet.observing import NOW, box, containers, pod, ran, seen, sidecar
from pilothouse.api.machinery.view import JsonObject
from pilothouse.api.types.core_v1 import Pod
from pilothouse.kubelet.observed import Failure, Health, ObservedPod, ResizeNote, ResizeState
from pilothouse.kubelet.status import deadline_exceeded, pod_status
from pilothouse.runtime.clock import format_time

HOST = ("10.0.0.1", "fd00::1")
CRASHED = {"app": Failure("CrashLoopBackOff", "back-off")}
TWO = containers("a", "b")
RULE = {"restartPolicy": "Never",
        "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]}  # fmt: skip
ALL = {"restartPolicy": "Never",
       "restartPolicyRules": [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}}],
}  # fmt: skip


def told(of: Pod, observed: ObservedPod, **more: Any) -> JsonObject:
    return pod_status(of, observed, NOW, HOST, **more)


@pytest.mark.parametrize(("spec", "observed", "phase"), [
    ({}, seen(boxes=()), "Pending"),
    ({}, seen(), "Pending"),
    ({}, seen(failures=CRASHED), "Pending"),
    ({}, seen(ran("app")), "Running"),
    ({"containers": TWO}, seen(ran("a")), "Pending"),
    ({"containers": TWO}, seen(ran("a"), ran("b", 0)), "Running"),
    ({}, seen(ran("app", 1)), "Running"),
    ({}, seen(ran("app", 0)), "Running"),
    ({}, seen(ran("app", 1), failures=CRASHED), "Running"),
    ({"restartPolicy": "OnFailure"}, seen(ran("app", 0)), "Succeeded"),
    ({"restartPolicy": "OnFailure"}, seen(ran("app", 1)), "Running"),
    ({"restartPolicy": "Never"}, seen(ran("app", 0)), "Succeeded"),
    ({"restartPolicy": "Never"}, seen(ran("app", 1)), "Failed"),
    ({"restartPolicy": "Never", "containers": TWO}, seen(ran("a", 0), ran("b", 1)), "Failed"),
    ({"restartPolicy": "Never", "containers": TWO}, seen(ran("a", 1), ran("b")), "Running"),
    ({"restartPolicy": "Never", "containers": containers("app", **RULE)}, seen(ran("app", 42)), "Running"),
    ({"restartPolicy": "Never", "containers": containers("app", **RULE)}, seen(ran("app", 1)), "Failed"),
    ({"containers": containers("app", restartPolicy="Never")}, seen(ran("app", 0)), "Succeeded"),
    ({"restartPolicy": "Never", "containers": containers("app", **ALL)}, seen(ran("app", 42)), "Running"),
    ({"initContainers": containers("i")}, seen(ran("i")), "Pending"),
    ({"initContainers": containers("i")}, seen(ran("i", 1)), "Pending"),
    ({"initContainers": containers("i")}, seen(ran("i", 0)), "Pending"),
    ({"initContainers": containers("i")}, seen(ran("app")), "Running"),
    ({"initContainers": containers("i"), "restartPolicy": "Never"}, seen(ran("i", 1)), "Failed"),
    ({"initContainers": containers("i", restartPolicy="Never")}, seen(ran("i", 1)), "Failed"),
    ({"initContainers": [sidecar()]}, seen(ran("side")), "Pending"),
    ({"initContainers": [sidecar()]}, seen(ran("side", 1), ran("app")), "Running"),
    ({"initContainers": [sidecar()], "restartPolicy": "Never"}, seen(ran("side", 1)), "Pending"),
    ({"initContainers": [sidecar()], "restartPolicy": "Never"}, seen(ran("side"), ran("app", 0)), "Succeeded"),
])  # fmt: skip
def test_phases(spec: dict[str, Any], observed: ObservedPod, phase: str) -> None:
    assert told(pod(**spec), observed)["phase"] == phase


@pytest.mark.parametrize(("spec", "observed", "phase"), [
    ({}, seen(ran("app", 0)), "Succeeded"),
    ({}, seen(ran("app", 137)), "Failed"),
    ({"containers": TWO}, seen(ran("a", 0), ran("b", 1)), "Failed"),
    ({}, seen(), "Failed"),
    ({"initContainers": containers("i")}, seen(ran("i", 137)), "Failed"),
])  # fmt: skip
def test_a_pod_that_is_over_has_succeeded_or_failed(spec: dict[str, Any], observed: ObservedPod, phase: str) -> None:
    assert told(pod(**spec), observed, over=True)["phase"] == phase


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_last_phase_stays(phase: str) -> None:
    assert told(pod({"phase": phase}), seen(ran("app")))["phase"] == phase


def test_a_verdict_is_the_end() -> None:
    status = told(pod(), seen(ran("app", 0)), over=True, verdict=deadline_exceeded())
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
    assert status["message"] == "Pod was active on the node longer than the specified deadline"
    kept = told(pod({"phase": "Failed", "reason": "Evicted", "message": "low"}), seen())
    assert (kept["reason"], kept["message"]) == ("Evicted", "low")


def condition(status: JsonObject, kind: str) -> tuple[str, str, str]:
    found = next(one for one in status["conditions"] if one["type"] == kind)
    return found["status"], found.get("reason", ""), found.get("message", "")


FINE = ("True", "", "")
PROBED = containers("app", readinessProbe={"exec": {}})


@pytest.mark.parametrize(("spec", "observed", "expected"), [
    ({}, seen(ran("app")), FINE),
    ({}, seen(), ("False", "ContainersNotReady", "containers with unready status: [app]")),
    ({"containers": TWO}, seen(ran("a", 1)), ("False", "ContainersNotReady", "containers with unready status: [a b]")),
    ({"containers": PROBED}, seen(ran("app")),
     ("False", "ContainersNotReady", "containers with unready status: [app]")),
    ({"containers": PROBED}, seen(ran("app"), health={"app-0": Health(ready=True)}), FINE),
    ({"initContainers": [sidecar()]}, seen(ran("app")),
     ("False", "ContainersNotReady", "containers with unready status: [side]")),
    ({"initContainers": containers("i")}, seen(ran("i", 0), ran("app")), FINE),
    ({"restartPolicy": "Never"}, seen(ran("app", 0)), ("False", "PodCompleted", "")),
    ({"restartPolicy": "Never"}, seen(ran("app", 1)), ("False", "PodFailed", "")),
])  # fmt: skip
def test_ready_follows_the_containers(
    spec: dict[str, Any], observed: ObservedPod, expected: tuple[str, str, str]
) -> None:
    status = told(pod(**spec), observed)
    assert condition(status, "ContainersReady") == expected
    assert condition(status, "Ready") == expected


@pytest.mark.parametrize(("conditions", "expected"), [
    ([], ("False", "ReadinessGatesNotReady",
          ('corresponding condition of pod readiness gate "x/a" does not exist., '
           'corresponding condition of pod readiness gate "x/b" does not exist.'))),
    ([{"type": "x/a", "status": "False"}, {"type": "x/b", "status": "True"}],
     ("False", "ReadinessGatesNotReady", 'the status of pod readiness gate "x/a" is not "True", but False')),
    ([{"type": "x/a", "status": "True"}, {"type": "x/b", "status": "True"}], FINE),
])  # fmt: skip
def test_readiness_gates(conditions: list[JsonObject], expected: tuple[str, str, str]) -> None:
    gated = pod({"conditions": conditions}, readinessGates=[{"conditionType": "x/a"}, {"conditionType": "x/b"}])
    status = told(gated, seen(ran("app")))
    assert condition(status, "Ready") == expected
    assert condition(status, "ContainersReady") == FINE
    assert [one for one in status["conditions"] if one["type"].startswith("x/")] == conditions


@pytest.mark.parametrize(("spec", "observed", "expected"), [
    ({}, seen(boxes=()), FINE),
    ({"initContainers": containers("i", "j")}, seen(ran("i")),
     ("False", "ContainersNotInitialized", "containers with incomplete status: [i j]")),
    ({"initContainers": containers("i", "j")}, seen(ran("i", 0)),
     ("False", "ContainersNotInitialized", "containers with incomplete status: [j]")),
    ({"initContainers": containers("i")}, seen(ran("i", 0)), FINE),
    ({"initContainers": containers("i")}, seen(ran("app", 1)), FINE),
    ({"initContainers": [sidecar()]}, seen(),
     ("False", "ContainersNotInitialized", "containers with incomplete status: [side]")),
    ({"initContainers": [sidecar()]}, seen(ran("side")), FINE),
    ({"initContainers": [sidecar()]}, seen(ran("side", 1), ran("app")), FINE),
    ({"initContainers": containers("i"), "restartPolicy": "Never"}, seen(ran("i", 1)),
     ("False", "ContainersNotInitialized", "containers with incomplete status: [i]")),
    ({"restartPolicy": "Never"}, seen(ran("app", 0)), ("True", "PodCompleted", "")),
])  # fmt: skip
def test_initialized(spec: dict[str, Any], observed: ObservedPod, expected: tuple[str, str, str]) -> None:
    assert condition(told(pod(**spec), observed), "Initialized") == expected


@pytest.mark.parametrize(("spec", "observed", "expected"), [
    ({}, seen(boxes=()), "False"),
    ({}, seen(), "True"),
    ({}, seen(boxes=(box(ready=False),)), "False"),
    ({}, seen(boxes=(box(ips=()),)), "False"),
    ({"hostNetwork": True}, seen(boxes=(box(ips=(), host_network=True),)), "True"),
])  # fmt: skip
def test_the_sandbox_decides_whether_containers_can_start(
    spec: dict[str, Any], observed: ObservedPod, expected: str
) -> None:
    assert condition(told(pod(**spec), observed), "PodReadyToStartContainers")[0] == expected


@pytest.mark.parametrize(("code", "policy", "expected"), [
    (42, "Never", ("True", "RestartAllContainersStarted", "container exited with restart policy rule")),
    (None, "Never", ("False", "", "")),
    (0, "Never", ("False", "PodCompleted", "")),
    (1, "Never", ("False", "PodFailed", "")),
])  # fmt: skip
def test_all_containers_restarting(code: int | None, policy: str, expected: tuple[str, str, str]) -> None:
    status = told(pod(restartPolicy=policy, containers=containers("app", **ALL)), seen(ran("app", code)))
    assert condition(status, "AllContainersRestarting") == expected


def test_conditions_keep_their_time_while_they_stay_as_they_are_and_their_order() -> None:
    long_ago = format_time(NOW - 500)
    old = [{"type": kind, "status": "True", "lastTransitionTime": long_ago} for kind in ("Ready", "Initialized")]
    foreign = {"type": "DisruptionTarget", "status": "True"}
    conditions = told(pod({"conditions": [*old, foreign]}), seen())["conditions"]
    assert [one["type"] for one in conditions] == [
        "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled", "DisruptionTarget",
    ]  # fmt: skip
    times = {one["type"]: one.get("lastTransitionTime") for one in conditions}
    assert (times["Initialized"], times["Ready"]) == (long_ago, format_time(NOW))
    assert [one.get("observedGeneration") for one in conditions] == [1] * 5 + [None]


def test_the_rest() -> None:
    status = told(pod(containers=containers("b", "a"), initContainers=containers("z", "y")), seen())
    assert status["observedGeneration"] == 1
    assert status["qosClass"] == "BestEffort"
    assert status["startTime"] == format_time(NOW)
    assert (status["hostIP"], status["hostIPs"]) == ("10.0.0.1", [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}])
    assert (status["podIP"], status["podIPs"]) == ("10.88.0.2", [{"ip": "10.88.0.2"}])
    assert [one["name"] for one in status["containerStatuses"]] == ["a", "b"]
    assert [one["name"] for one in status["initContainerStatuses"]] == ["z", "y"]
    assert "ephemeralContainerStatuses" not in status


def test_start_time_and_class_stay() -> None:
    began = format_time(NOW - 9)
    status = told(pod({"startTime": began, "qosClass": "Burstable"}), seen())
    assert (status["startTime"], status["qosClass"]) == (began, "Burstable")


@pytest.mark.parametrize(("spec", "status", "observed", "expected"), [
    ({}, {}, seen(boxes=(box(ips=("10.88.0.2", "fd01::2")),)), ["10.88.0.2", "fd01::2"]),
    ({}, {"podIPs": [{"ip": "10.88.0.9"}]}, seen(boxes=()), ["10.88.0.9"]),
    ({"hostNetwork": True}, {}, seen(boxes=()), list(HOST)),
    ({}, {}, seen(boxes=()), []),
])  # fmt: skip
def test_addresses(spec: dict[str, Any], status: JsonObject, observed: ObservedPod, expected: list[str]) -> None:
    assert [one["ip"] for one in told(pod(status, **spec), observed).get("podIPs", ())] == expected


def test_ephemeral_containers_are_told_by_name_and_change_nothing_else() -> None:
    debugged = pod(ephemeralContainers=[{"name": "z", "image": "t"}, {"name": "d", "image": "t"}])
    status = told(debugged, seen(ran("app"), ran("z", 1)))
    assert [one["name"] for one in status["ephemeralContainerStatuses"]] == ["d", "z"]
    assert status["phase"] == "Running"
    assert condition(status, "Ready") == FINE


def test_a_resize_is_told_as_far_as_it_has_come() -> None:
    """And no longer: a condition that is not true is gone, as upstream has it."""
    pending, progress = ResizeNote("Deferred", "later", 3), ResizeNote(generation=2)
    status = told(pod(), seen(ran("app"), resize=ResizeState(pending, progress)))
    assert condition(status, "PodResizePending") == ("True", "Deferred", "later")
    assert condition(status, "PodResizeInProgress") == ("True", "", "")
    generations = {one["type"]: one["observedGeneration"] for one in status["conditions"]}
    assert (generations["PodResizePending"], generations["PodResizeInProgress"]) == (3, 2)
    status = told(pod(status), seen(ran("app")))
    assert not {"PodResizePending", "PodResizeInProgress"} & {one["type"] for one in status["conditions"]}


def test_a_resize_of_a_pod_that_is_over_is_nobodys_business() -> None:
    """Source: determinePodResizeStatus."""
    notes = ResizeState(ResizeNote("Deferred"), ResizeNote())
    status = told(pod(restartPolicy="Never"), seen(ran("app", 0), resize=notes))
    assert status["phase"] == "Succeeded"
    assert not {"PodResizePending", "PodResizeInProgress"} & {one["type"] for one in status["conditions"]}
