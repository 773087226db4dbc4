from typing import Any

import pytest

from pilothouse.api.types.core_v1 import Pod
from pilothouse.testing.simulated_pod import (
    EXIT_CODE,
    READY_AFTER,
    RUN_SECONDS,
    Pace,
    Place,
    Stage,
    Step,
    plan,
    restarts,
    stage,
)

NOW = 1_767_225_600.0
PLACE = Place("172.20.0.2", "10.244.0.2")
PACE = Pace(start=1, ready=0, run=5, stop=2)


def _pod(policy: str = "Always", *, annotations: dict[str, str] | None = None, **status: Any) -> dict[str, Any]:
    meta = {"name": "p", "namespace": "default", "uid": "u", "annotations": annotations or {}, "generation": 1}
    spec: dict[str, Any] = {"restartPolicy": policy, "containers": [{"name": "c", "image": "i"}], "nodeName": "n"}
    return {"metadata": meta, "spec": spec, "status": status}


def _told(pod: dict[str, Any], step: Step) -> dict[str, Any]:
    """The pod after its report."""
    assert step.status is not None
    return {**pod, "status": {**pod["status"], **step.status}}


def _plan(pod: dict[str, Any], elapsed: float = 0.0) -> Step:
    return plan(Pod(pod), PLACE, PACE, NOW - elapsed, NOW)


def _conditions(pod: dict[str, Any]) -> dict[str, str]:
    return {found["type"]: found["status"] for found in pod["status"]["conditions"]}


def _running(policy: str = "Always", **annotations: str) -> dict[str, Any]:
    pod = _pod(policy, annotations=annotations)
    pod = _told(pod, _plan(pod))
    return _told(pod, _plan(pod, 1))


def test_a_pod_starts_and_is_ready() -> None:
    pod = _pod()
    assert stage(Pod(pod)) is Stage.NEW
    pod = _told(pod, _plan(pod))
    assert stage(Pod(pod)) is Stage.STARTING
    assert pod["status"]["phase"] == "Pending"
    assert pod["status"]["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert _conditions(pod)["Ready"] == "False"
    assert _plan(pod, 0.25) == Step(after=0.75)
    pod = _told(pod, _plan(pod, 1))
    assert stage(Pod(pod)) is Stage.RUNNING
    assert (pod["status"]["podIP"], pod["status"]["hostIP"]) == (PLACE.pod_ip, PLACE.host_ip)
    assert _conditions(pod) == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
        "PodScheduled": "True",
    }
    assert _plan(pod, 100) == Step()


def test_readiness_may_take_its_time() -> None:
    pod = _running(**{READY_AFTER: "3"})
    assert _conditions(pod)["Ready"] == "False"
    assert pod["status"]["phase"] == "Running"
    assert _plan(pod, 1) == Step(after=2)
    pod = _told(pod, _plan(pod, 3))
    assert _conditions(pod)["Ready"] == "True"
    assert _plan(pod, 4) == Step()


def test_a_readiness_gate_keeps_a_pod_from_being_ready() -> None:
    pod = _pod()
    pod["spec"]["readinessGates"] = [{"conditionType": "example.com/gate"}]
    pod = _told(pod, _plan(pod))
    pod = _told(pod, _plan(pod, 1))
    assert (_conditions(pod)["ContainersReady"], _conditions(pod)["Ready"]) == ("True", "False")
    pod["status"]["conditions"].append({"type": "example.com/gate", "status": "True"})
    pod = _told(pod, _plan(pod, 2))
    assert _conditions(pod)["Ready"] == "True"


@pytest.mark.parametrize(
    ("policy", "code", "phase"),
    [
        ("Never", 0, "Succeeded"),
        ("Never", 3, "Failed"),
        ("OnFailure", 0, "Succeeded"),
        ("OnFailure", 1, "Running"),
        ("Always", 0, "Running"),
    ],
)
def test_a_pod_with_an_exit_code_ends_or_starts_again(policy: str, code: int, phase: str) -> None:
    pod = _running(policy, **{EXIT_CODE: str(code)})
    assert _plan(pod, 1) == Step(after=4)
    pod = _told(pod, _plan(pod, 5))
    assert pod["status"]["phase"] == phase
    assert _conditions(pod)["Ready"] == "False"
    status = pod["status"]["containerStatuses"][0]
    ended = status["state" if phase != "Running" else "lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (code, "Error" if code else "Completed")
    if phase != "Running":
        assert _plan(pod, 9) == Step()
        return
    assert stage(Pod(pod)) is Stage.BACKING_OFF
    assert _plan(pod, 4) == Step(after=6)
    pod = _told(pod, _plan(pod, 10))
    assert restarts(Pod(pod)) == 1
    assert stage(Pod(pod)) is Stage.RUNNING
    pod = _told(pod, _plan(pod, 5))
    assert _plan(pod, 0) == Step(after=20)


def test_how_long_it_runs_may_be_said() -> None:
    assert _plan(_running("Never", **{EXIT_CODE: "0", RUN_SECONDS: "60"}), 10) == Step(after=50)


@pytest.mark.parametrize(("grace", "left"), [(30, 2), (1, 1)])
def test_a_pod_that_is_told_to_end_does_so_in_its_time(grace: int, left: float) -> None:
    pod = _running()
    pod["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:30Z", "deletionGracePeriodSeconds": grace}
    assert stage(Pod(pod)) is Stage.STOPPING
    assert _plan(pod) == Step(after=left)
    pod = _told(pod, _plan(pod, left))
    assert pod["status"]["phase"] == "Succeeded"
    assert stage(Pod(pod)) is Stage.GONE
    assert _plan(pod) == Step(delete=True)


def test_init_containers_have_ended_and_sidecars_run() -> None:
    pod = _pod()
    pod["spec"]["initContainers"] = [
        {"name": "first", "image": "i"},
        {"name": "side", "image": "i", "restartPolicy": "Always"},
    ]
    pod = _told(pod, _plan(pod))
    pod = _told(pod, _plan(pod, 1))
    first, side = pod["status"]["initContainerStatuses"]
    assert (list(first["state"]), list(side["state"])) == (["terminated"], ["running"])
