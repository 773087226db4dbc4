"""sig-node: how containers and pods end: the message that is left, init containers that fail, a time that is over."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from contract.api import Json, Watch
from contract.conformance import Checks, conformance
from contract.images import BUSYBOX, PAUSE
from contract.operations import condition
from contract.pods import START_SECONDS, phase
from contract.side_by_side import side_by_side
from contract.workloads import Ended, Workloads, container, pod

_NON_ROOT = 10000
_FALLBACK = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "FallbackToLogsOnError"}


@dataclass(frozen=True)
class Row:
    """A container's last words."""

    script: str
    phase: str
    message: str
    settings: Mapping[str, Any]


_PREFIX = "Container Runtime blackbox test on terminated container should report termination message"
_POLICY = "TerminationMessagePolicy FallbackToLogsOnError is set"
TABLE = {
    f"{_PREFIX} as empty when pod succeeds and {_POLICY}": Row(
        "/bin/echo -n DONE; /bin/true", "Succeeded", "", _FALLBACK
    ),
    f"{_PREFIX} from file when pod succeeds and {_POLICY}": Row(
        "/bin/echo -n OK > /dev/termination-log; /bin/echo DONE; /bin/true", "Succeeded", "OK", _FALLBACK
    ),
    f"{_PREFIX} from log output if {_POLICY}": Row("/bin/echo -n DONE; /bin/false", "Failed", "DONE", _FALLBACK),
    f"{_PREFIX} if TerminationMessagePath is set as non-root user and at a non-default path": Row(
        "/bin/echo -n DONE > /dev/termination-custom-log", "Succeeded", "DONE",
        {"terminationMessagePath": "/dev/termination-custom-log", "securityContext": {"runAsUser": _NON_ROOT}},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def outcome(request: pytest.FixtureRequest, shared: Workloads) -> Iterator[Callable[[str], Ended]]:
    """What came of the pods of the table, by what they stand for."""

    def run(name: str) -> Ended:
        row = TABLE[name]
        box = container([row.script], name="says", image=BUSYBOX, command=["/bin/sh", "-c"], **row.settings)
        return shared.run(pod(f"says-{[*TABLE].index(name)}", box))

    with side_by_side(request, "name", run) as found:
        yield found


@pytest.mark.parametrize("name", [pytest.param(name, marks=conformance(name)) for name in TABLE])
def test_message(name: str, outcome: Callable[[str], Ended], check: Checks) -> None:
    row, ended = TABLE[name], outcome(name)
    check("phase", ended.phase, row.phase)
    (status,) = ended.pod["status"]["containerStatuses"]
    check("terminated", "terminated" in status["state"])
    check("message", status["state"]["terminated"].get("message", ""), row.message)


def _box(name: str, command: str = "/bin/true") -> Json:
    return container(name=name, image=BUSYBOX, command=[command])


def _states(workloads: Workloads, body: Json, ends: str) -> list[Json]:
    """All that is seen of a new pod until it has reached a phase, the last one included."""
    made = workloads.pods.create(body)
    name, since = made["metadata"]["name"], made["metadata"]["resourceVersion"]
    seen = [made]
    with workloads.pods.watch(since=since, field=f"metadata.name={name}", seconds=START_SECONDS) as changes:
        _follow(changes, seen, ends)
    return seen


def _follow(changes: Watch, seen: list[Json], ends: str) -> None:
    for event in changes:
        seen.append(event["object"])
        if phase(event["object"]) == ends:
            return
    raise AssertionError(f"not {ends} in time: {seen[-1]}")


def _all_ended_well(item: Json) -> list[bool]:
    return [
        status["ready"] and status["state"].get("terminated", {}).get("exitCode") == 0
        for status in item["status"]["initContainerStatuses"]
    ]


@pytest.mark.parametrize(
    ("policy", "last", "ends"),
    [
        pytest.param(
            "Never", _box("run1"), "Succeeded",
            marks=conformance("InitContainer should invoke init containers on a RestartNever pod"),
        ),
        pytest.param(
            "Always", container(name="run1", image=PAUSE, resources={"limits": {"cpu": "100m"}}), "Running",
            marks=conformance("InitContainer should invoke init containers on a RestartAlways pod"),
        ),
    ],
)  # fmt: skip
def test_init_containers(policy: str, last: Json, ends: str, workloads: Workloads, check: Checks) -> None:
    body = pod("pod-init", last, initContainers=[_box("init1"), _box("init2")], restartPolicy=policy)
    found = _states(workloads, body, ends)[-1]
    check("phase", phase(found), ends)
    check("initialized", condition(found, "Initialized")["status"], "True")
    check("ended", _all_ended_well(found), [True, True])


@conformance(
    "InitContainer should not start app containers and fail the pod if init containers fail on a RestartNever pod"
)
def test_an_init_container_that_fails(workloads: Workloads, check: Checks) -> None:
    last = {**_box("run1"), "resources": {"limits": {"cpu": "100m"}}}
    body = pod("pod-init", last, initContainers=[_box("init1"), _box("init2", "/bin/false")])
    seen = _states(workloads, body, "Failed")
    found = seen[-1]
    statuses = [status for item in seen for status in _of(item, "containerStatuses")]
    reasons = {status["state"].get("waiting", {}).get("reason") for status in statuses}
    check("never-started", (reasons, len(_of(found, "containerStatuses"))), ({"PodInitializing"}, 1))
    first, second = found["status"]["initContainerStatuses"]
    check("first", first["state"]["terminated"]["exitCode"], 0)
    check("second", second["state"]["terminated"]["exitCode"] != 0)
    check("phase", phase(found), "Failed")
    initialized = condition(found, "Initialized")
    check("initialized", (initialized["status"], initialized["reason"]), ("False", "ContainersNotInitialized"))
    check("message", initialized["message"], "containers with incomplete status: [init2]")


def _of(item: Json, kind: str) -> list[Json]:
    found: list[Json] = item.get("status", {}).get(kind) or []
    return found


@conformance("Pods should allow activeDeadlineSeconds to be updated")
def test_deadline(workloads: Workloads, check: Checks) -> None:
    workloads.serve(pod("deadline", container(), restartPolicy="Always"))
    check("listed", workloads.pods.names(), ["deadline"])
    workloads.pods.change("deadline", lambda item: item["spec"].update(activeDeadlineSeconds=5))
    found = workloads.until("deadline", lambda item: phase(item) == "Failed")
    check("reason", found["status"]["reason"], "DeadlineExceeded")
