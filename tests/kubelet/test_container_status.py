"""What is said of each container, as upstream's convertToAPIContainerStatuses and TerminatePod have it."""

from dataclasses import replace
from typing import Any

import pytest

from kubelet.observing import NOW, box, containers, pod, ran, seen, sidecar
from pilothouse.api.machinery.view import JsonObject
from pilothouse.kubelet.container_status import closed, container_statuses
from pilothouse.kubelet.cri.interface import ContainerState, LinuxUser
from pilothouse.kubelet.observed import Failure, Health, ObservedPod
from pilothouse.runtime.clock import format_time

BEGAN, ENDED = format_time(NOW - 50), format_time(NOW - 49)
UP = {"running": {"startedAt": BEGAN}}
PULLING = {"app": Failure("ErrImagePull", "no such image")}
CREATING = {"waiting": {"reason": "ContainerCreating"}}
VANISHED = {"terminated": {
    "exitCode": 137, "reason": "ContainerStatusUnknown", "startedAt": None, "finishedAt": None,
    "message": "The container could not be located when the pod was deleted.  The container used to be Running",
}}  # fmt: skip
LOST = {"terminated": VANISHED["terminated"] | {
    "message": "The container could not be located when the pod was terminated",
}}  # fmt: skip


def down(exit_code: int = 0, attempt: int = 0, reason: str = "", name: str = "app") -> JsonObject:
    return {"terminated": {
        "exitCode": exit_code, "reason": reason or ("Error" if exit_code else "Completed"),
        "startedAt": format_time(NOW - 50 + attempt), "finishedAt": format_time(NOW - 49 + attempt),
        "containerID": f"containerd://{name}-{attempt}",
    }}  # fmt: skip


def before(state: JsonObject, **fields: Any) -> JsonObject:
    """What was last reported of `app`."""
    return {"containerStatuses": [{"name": "app", "state": state, **fields}]}


@pytest.mark.parametrize(("told", "observed", "expected"), [
    pytest.param({}, seen(), {"state": CREATING, "lastState": {}, "restartCount": 0}, id="not made yet"),
    pytest.param({}, seen(failures=PULLING),
                 {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}, id="cannot start"),
    pytest.param({}, seen(ran("app")), {"state": UP, "lastState": {}, "ready": True, "started": True}, id="runs"),
    pytest.param({}, seen(ran("app", state=ContainerState.CREATED)), {"state": {"waiting": {}}, "ready": False},
                 id="made"),
    pytest.param({}, seen(ran("app", 0)), {"state": down(), "ready": False, "started": False}, id="ended well"),
    pytest.param({}, seen(ran("app", 2)), {"state": down(2)}, id="ended badly"),
    pytest.param({}, seen(ran("app", 137, reason="OOMKilled")), {"state": down(137, reason="OOMKilled")}, id="killed"),
    pytest.param({}, seen(ran("app", 2), failures={"app": Failure("CrashLoopBackOff", "back-off 10s")}),
                 {"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
                  "lastState": down(2)}, id="waits after its end"),
    pytest.param({}, seen(ran("app", 2), ran("app", attempt=1)),
                 {"lastState": down(2), "restartCount": 1, "containerID": "containerd://app-1"}, id="runs again"),
    pytest.param({}, seen(ran("app", 2), ran("app", 3, 1)), {"state": down(3, 1), "lastState": down(2)},
                 id="ended twice"),
    pytest.param(before(UP, containerID="containerd://app-0"), seen(),
                 {"state": CREATING, "lastState": VANISHED, "restartCount": 1}, id="the runtime forgot what ran"),
    pytest.param(before(UP, lastState=down(2), restartCount=4), seen(), {"lastState": down(2), "restartCount": 5},
                 id="and ended before"),
    pytest.param(before(CREATING, lastState=VANISHED, restartCount=1), seen(),
                 {"state": CREATING, "lastState": VANISHED, "restartCount": 1}, id="and said so already"),
    pytest.param(before(down(3), restartCount=2, containerID="containerd://app-0"), seen(),
                 {"state": down(3), "restartCount": 2, "containerID": "containerd://app-0"},
                 id="the runtime forgot what ended"),
    pytest.param(before(UP), seen(ran("app", state=ContainerState.UNKNOWN)), {"state": LOST}, id="nobody knows"),
    pytest.param({}, seen(ran("app", state=ContainerState.UNKNOWN)), {"state": {"waiting": {}}}, id="nor ever knew"),
])  # fmt: skip
def test_states(told: JsonObject, observed: ObservedPod, expected: JsonObject) -> None:
    status = container_statuses(pod(told), observed, over=False).main[0].status
    assert {name: status.get(name) for name in expected} == expected


def test_a_container_that_vanished_has_no_id() -> None:
    status = container_statuses(pod(before(UP, containerID="containerd://a")), seen(), over=False).main[0].status
    assert "containerID" not in status


def test_a_pod_that_is_deleted_says_how_its_containers_ended_and_not_why_they_wait() -> None:
    leaving = pod(metadata={"deletionTimestamp": format_time(NOW)})
    observed = seen(ran("app", 2), failures={"app": Failure("CrashLoopBackOff", "")})
    assert container_statuses(leaving, observed, over=False).main[0].status["state"] == down(2)


@pytest.mark.parametrize(
    ("policy", "code", "waits"), [("Never", 1, False), ("OnFailure", 1, True), ("Always", 0, True)]
)
def test_only_a_container_that_shall_run_again_waits(policy: str, code: int, waits: bool) -> None:
    observed = seen(ran("app", code), failures={"app": Failure("CrashLoopBackOff", "")})
    status = container_statuses(pod(restartPolicy=policy), observed, over=False).main[0].status
    assert ("waiting" in status["state"]) is waits


def test_with_init_containers_the_others_wait_for_initialization_even_when_it_is_over() -> None:
    told = container_statuses(pod(initContainers=containers("i1")), seen(ran("i1", 0)), over=False)
    assert told.main[0].status["state"] == {"waiting": {"reason": "PodInitializing"}}
    told = container_statuses(pod(initContainers=containers("i1")), seen(), over=False)
    assert told.init[0].status["state"] == {"waiting": {"reason": "PodInitializing"}}


PROBE = {"exec": {"command": ["true"]}}


@pytest.mark.parametrize(("own", "run", "health", "expected"), [
    ({}, ran("app"), Health(), (True, True)),
    ({"readinessProbe": PROBE}, ran("app"), Health(), (True, False)),
    ({"readinessProbe": PROBE}, ran("app"), Health(ready=False), (True, False)),
    ({"readinessProbe": PROBE}, ran("app"), Health(ready=True), (True, True)),
    ({"startupProbe": PROBE}, ran("app"), Health(), (False, False)),
    ({"startupProbe": PROBE}, ran("app"), Health(started=True), (True, True)),
    ({"startupProbe": PROBE, "readinessProbe": PROBE}, ran("app"), Health(ready=True), (False, False)),
    ({}, ran("app", 0), Health(started=True, ready=True), (False, False)),
])  # fmt: skip
def test_started_and_ready(own: JsonObject, run: Any, health: Health, expected: tuple[bool, bool]) -> None:
    one = pod(containers=containers("app", **own))
    status = container_statuses(one, seen(run, health={"app-0": health}), over=False).main[0].status
    assert (status["started"], status["ready"]) == expected


@pytest.mark.parametrize(("inits", "run", "expected"), [
    (containers("i1"), ran("i1"), (True, False)),
    (containers("i1"), ran("i1", 0), (False, True)),
    (containers("i1"), ran("i1", 1), (False, False)),
    ([sidecar("i1")], ran("i1"), (True, True)),
    ([sidecar("i1")], ran("i1", 0), (False, False)),
])  # fmt: skip
def test_init_containers_are_ready_when_done_and_sidecars_when_they_serve(
    inits: list[JsonObject], run: Any, expected: tuple[bool, bool]
) -> None:
    status = container_statuses(pod(initContainers=inits), seen(run), over=False).init[0].status
    assert (status["started"], status["ready"]) == expected


def test_what_a_container_is_made_of_is_told_once_it_is_made() -> None:
    asked = {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}
    mounts = [{"name": "v", "mountPath": "/v"}, {"name": "w", "mountPath": "/w", "readOnly": True}]
    one = pod(containers=containers("app", resources=asked, volumeMounts=mounts))
    waiting = container_statuses(one, seen(), over=False).main[0].status
    assert (waiting["image"], waiting["imageID"]) == ("app:1", "")
    assert not {"resources", "allocatedResources", "containerID"} & set(waiting)
    run = replace(ran("app"), user=LinuxUser(1, 2, (2, 3)))
    status = container_statuses(one, seen(run), over=False).main[0].status
    assert status["image"] == "docker.io/library/app:1"
    assert status["imageID"] == "app@sha256:1"
    assert (status["resources"], status["allocatedResources"]) == (asked, {"cpu": "1"})
    assert status["user"] == {"linux": {"uid": 1, "gid": 2, "supplementalGroups": [2, 3]}}
    assert status["volumeMounts"] == [
        {"name": "v", "mountPath": "/v"},
        {"name": "w", "mountPath": "/w", "readOnly": True, "recursiveReadOnly": "Disabled"},
    ]


@pytest.mark.parametrize(("told", "observed", "expected"), [
    pytest.param({}, seen(ran("app", stop_signal="SIGRTMIN+1")), "SIGRTMIN+1", id="as the runtime tells"),
    pytest.param({}, seen(ran("app", 0, stop_signal="SIGUSR1")), "SIGUSR1", id="also when it has ended"),
    pytest.param({}, seen(ran("app")), None, id="a runtime that does not heed the spec's tells none"),
    pytest.param(before(down(0), containerID="containerd://app-0", stopSignal="SIGUSR1"), seen(), "SIGUSR1",
                 id="the runtime has forgotten it"),
    pytest.param(before(UP, containerID="containerd://app-0", stopSignal="SIGUSR1"), seen(), None, id="to be made"),
])  # fmt: skip
def test_the_signal_that_stops_it(told: JsonObject, observed: ObservedPod, expected: str | None) -> None:
    # KEP-4960: the runtime's word, which is the spec's where it has one, else the image's.
    one = pod(told, containers=containers("app", lifecycle={"stopSignal": "SIGUSR2"}))
    assert container_statuses(one, observed, over=False).main[0].status.get("stopSignal") == expected


DEBUG: dict[str, Any] = {"ephemeralContainers": [{"name": "debug", "image": "tools:1"}]}


@pytest.mark.parametrize(("observed", "state"), [
    (seen(ran("app")), CREATING),
    (seen(ran("app"), ran("debug")), UP),
    (seen(ran("app"), ran("debug", 1), failures={"debug": Failure("CrashLoopBackOff", "")}), down(1, name="debug")),
    (seen(ran("app"), failures={"debug": Failure("ErrImagePull", "no")}),
     {"waiting": {"reason": "ErrImagePull", "message": "no"}}),
])  # fmt: skip
def test_ephemeral_containers_are_never_ready_nor_started_again(observed: ObservedPod, state: JsonObject) -> None:
    (told,) = container_statuses(pod(**DEBUG), observed, over=False).ephemeral
    assert told.status["state"] == state
    assert told.status["ready"] is False
    assert "started" not in told.status


@pytest.mark.parametrize(("inits", "observed", "expected"), [
    pytest.param([], seen(), {"app": LOST}, id="never begun, without init containers"),
    pytest.param([], seen(ran("app", 3)), {"app": down(3)}, id="ended"),
    pytest.param(containers("i1", "i2"), seen(), {"i1": "waiting", "i2": "waiting", "app": "waiting"}, id="not begun"),
    pytest.param(containers("i1", "i2"), seen(ran("i1", 1)),
                 {"i1": down(1, name="i1"), "i2": "waiting", "app": "waiting"}, id="initialization failed"),
    pytest.param(containers("i1", "i2"), seen(ran("i2", 0)), {"i1": LOST, "i2": down(name="i2"), "app": LOST},
                 id="initialized"),
])  # fmt: skip
def test_when_a_pod_is_over_what_may_have_run_has_ended(
    inits: list[JsonObject], observed: ObservedPod, expected: dict[str, Any]
) -> None:
    over = pod(initContainers=inits)
    told = closed(over, container_statuses(over, observed, over=True))
    states = {one.name: one.status["state"] for one in (*told.init, *told.main)}
    assert {name: "waiting" if "waiting" in state else state for name, state in states.items()} == expected


ALL = {
    "restartPolicy": "Never",
    "restartPolicyRules": [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}}],
}


@pytest.mark.parametrize("condition", [[], [{"type": "AllContainersRestarting", "status": "True"}]])
def test_containers_taken_away_to_start_anew_wait_and_count(condition: list[JsonObject]) -> None:
    told = {"conditions": condition, "containerStatuses": [
        {"name": "done", "state": down(0), "restartCount": 0, "containerID": "containerd://done-0"},
        {"name": "ran", "state": UP, "restartCount": 3, "containerID": "containerd://ran-0"},
    ]}  # fmt: skip
    one = pod(told, restartPolicy="Never", containers=containers("done", "ran", "caller", **ALL))
    observed = seen() if condition else seen(ran("caller", 42))
    message = "The container is removed because RestartAllContainers in place"
    for each, count in zip(container_statuses(one, observed, over=False).main, (1, 4), strict=False):
        assert each.status["state"] == {"waiting": {"reason": "RestartingAllContainers", "message": message}}
        ended = each.status["lastState"]["terminated"]
        assert (ended["reason"], ended["message"], ended["exitCode"]) == ("RestartingAllContainers", message, 137)
        assert (each.status["restartCount"], each.runs_again) == (count, True)


def test_an_init_container_that_the_runtime_forgot_has_done_its_work_when_a_main_one_was_made() -> None:
    told = container_statuses(pod(initContainers=[*containers("i"), sidecar()]), seen(ran("app")), over=False)
    ended = told.init[0].status["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (0, "Completed")
    assert ended["message"].startswith("Unable to get init container status from container runtime")
    assert told.init[0].status["ready"]
    assert told.init[1].waiting


def test_no_sandbox_matters_not() -> None:
    assert container_statuses(pod(), seen(boxes=(box(ready=False),)), over=False).main[0].waiting
