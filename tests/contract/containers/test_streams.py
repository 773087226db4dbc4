"""sig-node: commands and logs over WebSockets, and containers that are added to a pod that runs."""

from contract.api import STRATEGIC, Api, Json
from contract.conformance import Checks, conformance
from contract.images import AGNHOST, BUSYBOX
from contract.workloads import Workloads, container, pod

_STDOUT = 1
_ALIVE = "echo container is alive; sleep 600"
_EPHEMERAL_SECONDS = 60


def _alive(workloads: Workloads) -> None:
    command = ["/bin/sh", "-c", _ALIVE]
    workloads.serve(pod("alive", container(name="main", image=BUSYBOX, command=command), restartPolicy="Always"))


@conformance("Pods should support remote command execution over websockets")
def test_command(api: Api, workloads: Workloads, check: Checks) -> None:
    _alive(workloads)
    query = [("stderr", "1"), ("stdout", "1"), ("container", "main")]
    query += [("command", word) for word in ("echo", "remote execution test")]
    frames = api.frames(workloads.pods.path("alive", "exec"), query, "channel.k8s.io")
    told = [frame for frame in frames if len(frame) > 1]  # the empty ones open and close channels
    check("channel", {frame[0] for frame in told}, {_STDOUT})
    check("output", b"remote execution test" in b"".join(frame[1:] for frame in told))


@conformance("Pods should support retrieving logs from the container over websockets")
def test_logs(api: Api, workloads: Workloads, check: Checks) -> None:
    _alive(workloads)
    workloads.until_log("alive", "container is alive\n")
    frames = api.frames(workloads.pods.path("alive", "log"), [("container", "main")], "binary.k8s.io")
    check("output", b"".join(frame for frame in frames if frame.strip()), b"container is alive\n")


def _debugged(workloads: Workloads, check: Checks) -> None:
    """A pod that runs gets a container more, which must run too."""
    box = container(["10000"], name="test-container-1", image=BUSYBOX, command=["/bin/sleep"])
    made = workloads.serve(pod("target", box, restartPolicy="Always", terminationGracePeriodSeconds=1))
    check("first-generation", made["metadata"]["generation"], 1)
    command = ["/bin/sh", "-c", "while true; do echo polo; sleep 2; done"]
    debugger = {"name": "debugger", "image": BUSYBOX, "command": command, "stdin": True, "tty": True}
    workloads.pods.patch("target", {"spec": {"ephemeralContainers": [debugger]}}, STRATEGIC, "ephemeralcontainers")
    workloads.until("target", _debugger_runs, _EPHEMERAL_SECONDS)
    check("running", True)
    check("generation", workloads.pods.get("target")["metadata"]["generation"], 2)
    check("command", "marco" in workloads.execute("target", "/bin/echo", "marco", container="debugger"))
    workloads.until_log("target", "polo", "debugger")
    check("log", True)


def _debugger_runs(item: Json) -> bool:
    found = item["status"].get("ephemeralContainerStatuses") or []
    return [status["name"] for status in found if "running" in status["state"]] == ["debugger"]


@conformance("Ephemeral Containers will start an ephemeral container in an existing pod")
def test_ephemeral_container(workloads: Workloads, check: Checks) -> None:
    _debugged(workloads, check)


@conformance("Ephemeral Containers should update the ephemeral containers in an existing pod")
def test_another_ephemeral_container(workloads: Workloads, check: Checks) -> None:
    _debugged(workloads, check)

    def names() -> list[str]:
        found = workloads.pods.get("target", "ephemeralcontainers")
        return [each["name"] for each in found["spec"]["ephemeralContainers"]]

    check("one", names(), ["debugger"])
    another = {
        "name": "debugger2", "image": AGNHOST, "imagePullPolicy": "IfNotPresent", "terminationMessagePolicy": "File",
    }  # fmt: skip
    workloads.pods.change("target", lambda item: item["spec"]["ephemeralContainers"].append(another),
                          "ephemeralcontainers")  # fmt: skip
    check("two", names(), ["debugger", "debugger2"])
