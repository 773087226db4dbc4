"""sig-node: what is started again and what never is: probes, restart policies, init containers that fail.

Upstream looks at one pod after the other, at some for four minutes. Here they start together and are watched together,
until the one that is to be started again most often has been; each test then looks at all that was seen of its pod.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from contract.api import Json
from contract.conformance import Checks, conformance
from contract.images import BUSYBOX, PAUSE
from contract.operations import condition
from contract.pods import phase
from contract.workloads import Workloads, container, pod

WATCH_SECONDS = 150
GONE_SECONDS = 60
_DELAY = 15
_PATIENT = {"timeoutSeconds": 5, "failureThreshold": 1}
_LIVENESS = {**_PATIENT, "initialDelaySeconds": 5, "periodSeconds": 2}
_HEALTHZ = {"httpGet": {"path": "/healthz", "port": 8080}}
_HEALTH = {"exec": {"command": ["cat", "/tmp/health"]}}
_GRPC = container(name="agnhost", command=["/agnhost", "grpc-health-checking"])
_RESTARTS, _INIT_RESTARTS = 4, 3
_COUNTING = """
f=/restart-count/restartCount
echo hello >> $f
count=$(wc -l < $f)
if [ $count -eq 1 ]; then exit 1; fi
if [ $count -eq 2 ]; then exit 0; fi
while true; do sleep 1; done
"""
"""Fails at first, succeeds then, runs forever after that."""


def _box(script: str, name: str = "busybox") -> Json:
    return container(name=name, image=BUSYBOX, command=["/bin/sh", "-c", script])


@dataclass(frozen=True)
class Probed:
    """A container with a probe of liveness, and how often that must start it again."""

    box: Json
    handler: Json
    restarts: int
    more: Json = field(default_factory=dict)

    def body(self, name: str) -> Json:
        """The pod."""
        box = {**self.box, "livenessProbe": {**_LIVENESS, **self.handler, **self.more}}
        return pod(name, box, restartPolicy="Always", terminationGracePeriodSeconds=1)


_LIVE, _WEB = container(["liveness"], name="liveness"), container(["test-webserver"], name="test-webserver")
PROBED = {
    'Probing container should be restarted with a exec "cat /tmp/health" liveness probe': Probed(
        _box("echo ok >/tmp/health; sleep 10; rm -rf /tmp/health; sleep 600"), _HEALTH, 1
    ),
    'Probing container should *not* be restarted with a exec "cat /tmp/health" liveness probe': Probed(
        _box("echo ok >/tmp/health; sleep 600"), _HEALTH, 0
    ),
    "Probing container should be restarted with a /healthz http liveness probe": Probed(_LIVE, _HEALTHZ, 1),
    "Probing container should *not* be restarted with a tcp:8080 liveness probe": Probed(
        _LIVE, {"tcpSocket": {"port": 8080}}, 0
    ),
    "Probing container should have monotonically increasing restart count": Probed(_LIVE, _HEALTHZ, _RESTARTS),
    "Probing container should *not* be restarted with a /healthz http liveness probe": Probed(
        _WEB, {"httpGet": {"path": "/", "port": 80}}, 0, {"failureThreshold": 5, "initialDelaySeconds": _DELAY}
    ),
    "Probing container should *not* be restarted with a GRPC liveness probe": Probed(
        _GRPC, {"grpc": {"port": 5000}}, 0, {"initialDelaySeconds": _DELAY}
    ),
    "Probing container should be restarted with a GRPC liveness probe": Probed(
        _GRPC, {"grpc": {"port": 2333}}, 1, {"initialDelaySeconds": _DELAY}
    ),
}


@dataclass(frozen=True)
class End:
    """How a policy has it in the end."""

    restarts: int
    phase: str
    state: str


POLICIES = {
    "Always": End(2, "Running", "running"),
    "OnFailure": End(1, "Succeeded", "terminated"),
    "Never": End(0, "Failed", "terminated"),
}


def _name(name: str) -> str:
    return f"probed-{[*PROBED].index(name)}"


def _pod_of(policy: str) -> str:
    return f"policy-{policy.lower()}"


def _ready_by(probe: Json) -> Json:
    box = {**_WEB, "readinessProbe": {"httpGet": {"path": "/", "port": 80}, **probe}}
    return pod("ready", box, restartPolicy="Always", terminationGracePeriodSeconds=1)


def _of_policy(policy: str) -> Json:
    mounts = [{"name": "restart-count", "mountPath": "/restart-count"}]
    box = {**_box(_COUNTING, "terminate"), "volumeMounts": mounts}
    volume = {"name": "restart-count", "emptyDir": {"medium": "Memory"}}
    return pod(_pod_of(policy), box, volumes=[volume], restartPolicy=policy, terminationGracePeriodSeconds=1)


def _failing() -> Json:
    last = container(name="run1", image=PAUSE, resources={"limits": {"cpu": "100m"}})
    first = [_box("exit 1", "init1"), _box("exit 0", "init2")]
    return pod("pod-init", last, initContainers=first, restartPolicy="Always")


def _restarts(item: Json, kind: str = "containerStatuses") -> int:
    statuses = item.get("status", {}).get(kind) or []
    return max((status["restartCount"] for status in statuses), default=0)


def _over(seen: Mapping[str, Sequence[Json]]) -> bool:
    """Whether all that takes long has come; by then the others have been probed dozens of times."""
    last = {name: states[-1] for name, states in seen.items()}
    ends = [(_restarts(last[_pod_of(policy)]), phase(last[_pod_of(policy)])) for policy in POLICIES]
    return (
        all(_restarts(last[_name(name)]) >= row.restarts for name, row in PROBED.items())
        and ends == [(end.restarts, end.phase) for end in POLICIES.values()]
        and _restarts(last["pod-init"], "initContainerStatuses") >= _INIT_RESTARTS
    )


@pytest.fixture(scope="module")
def seen(shared: Workloads) -> Mapping[str, Sequence[Json]]:
    """All that was seen of each pod, by its name."""
    since = shared.pods.all()["metadata"]["resourceVersion"]
    bodies = [row.body(_name(name)) for name, row in PROBED.items()]
    bodies += [_of_policy(policy) for policy in POLICIES] + [_failing()]
    never = _ready_by({"httpGet": {"path": "/", "port": 81}})
    bodies += [_ready_by({"initialDelaySeconds": _DELAY}), {**never, "metadata": {"name": "never-ready"}}]
    found: dict[str, list[Json]] = {}
    for body in bodies:
        made = shared.pods.create(body)
        found[made["metadata"]["name"]] = [made]
    with shared.pods.watch(since=since, seconds=WATCH_SECONDS) as changes:
        for event in changes:
            found[event["object"]["metadata"]["name"]].append(event["object"])
            if _over(found):
                break
    return found


def _counts(seen: Sequence[Json]) -> list[int]:
    """The numbers of restarts, in order, each as often as it was seen."""
    return [_restarts(item) for item in seen]


@pytest.mark.parametrize("name", [pytest.param(name, marks=conformance(name)) for name in PROBED])
def test_liveness(name: str, seen: Mapping[str, Sequence[Json]], check: Checks) -> None:
    row, states = PROBED[name], seen[_name(name)]
    counts = _counts(states)
    check("started", phase(states[-1]) == "Running")
    if row.restarts:
        check("restarted", counts[-1] >= row.restarts)
        check("monotone", counts, sorted(counts))
    else:
        check("never-restarted", {*counts}, {0})


@conformance("Probing container with readiness probe should not be ready before initial delay and never restart")
def test_ready_after_a_delay(seen: Mapping[str, Sequence[Json]], check: Checks) -> None:
    found = seen["ready"][-1]
    ready = condition(found, "Ready")
    check("ready", ready["status"], "True")
    (status,) = found["status"]["containerStatuses"]
    waited = _time(ready["lastTransitionTime"]) - _time(status["state"]["running"]["startedAt"])
    check("delayed", waited.total_seconds() >= _DELAY)
    check("never-restarted", {*_counts(seen["ready"])}, {0})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


@conformance("Probing container with readiness probe that fails should never be ready and never restart")
def test_never_ready(seen: Mapping[str, Sequence[Json]], check: Checks) -> None:
    states = seen["never-ready"]
    assert phase(states[-1]) == "Running"
    told = [(condition(item, "Ready") or {}).get("status") for item in states if item.get("status")]
    check("never-ready", "True" not in told)
    check("never-restarted", {*_counts(states)}, {0})


@conformance("Container Runtime blackbox test when starting a container that exits should run with the expected status")
def test_policies(seen: Mapping[str, Sequence[Json]], shared: Workloads, check: Checks) -> None:
    for policy, wanted in POLICIES.items():
        name = _pod_of(policy)
        found = seen[name][-1]
        (status,) = found["status"]["containerStatuses"]
        check("restarts", status["restartCount"], wanted.restarts)
        check("phase", phase(found), wanted.phase)
        check("ready", condition(found, "Ready")["status"], str(policy == "Always"))
        check("state", [*status["state"]], [wanted.state])
        shared.pods.delete(name)
        shared.pods.until_gone(name, GONE_SECONDS)
        check("deleted", True)


@conformance("InitContainer should not start app containers if init containers fail on a RestartAlways pod")
def test_an_init_container_that_fails(seen: Mapping[str, Sequence[Json]], check: Checks) -> None:
    told = [item["status"] for item in seen["pod-init"] if item["status"].get("initContainerStatuses")]
    waiting = [status["containerStatuses"] + status["initContainerStatuses"][1:] for status in told]
    reasons = {each["state"].get("waiting", {}).get("reason") for statuses in waiting for each in statuses}
    check("never-started", reasons, {"PodInitializing"})
    first = [status["initContainerStatuses"][0] for status in told]
    ends = [state[when]["terminated"]["exitCode"] for state in first for when in ("state", "lastState")
            if "terminated" in state[when]]  # fmt: skip
    check("failed", ends and 0 not in ends)
    check("restarts", first[-1]["restartCount"] >= _INIT_RESTARTS)
    last = seen["pod-init"][-1]
    check("phase", phase(last), "Pending")
    initialized = condition(last, "Initialized")
    check("initialized", (initialized["status"], initialized["reason"]), ("False", "ContainersNotInitialized"))
    check("message", initialized["message"], "containers with incomplete status: [init1 init2]")
