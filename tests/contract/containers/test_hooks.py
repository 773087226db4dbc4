"""sig-node: what is done right after a container's start and right before its end; a pod beside hears of it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from contract.api import Json, eventually
from contract.conformance import Checks, conformance
from contract.images import AGNHOST, PAUSE
from contract.side_by_side import side_by_side
from contract.workloads import Workloads, container, pod

_PORT = 8080
_START_SECONDS, _STOP_SECONDS, _GONE_SECONDS = 120, 30, 120
_GRACE: Json = {"terminationGracePeriodSeconds": 1}


@dataclass(frozen=True)
class Row:
    """A hook; `handler` tells what it does, from the address of the pod that hears of it."""

    when: str
    image: str
    handler: Callable[[str, str], Json]


def _execute(address: str, word: str) -> Json:
    return {"exec": {"command": ["sh", "-c", f"curl http://{address}:{_PORT}/echo?msg={word}"]}}


def _get(address: str, word: str) -> Json:
    """The pod's own server passes it on."""
    request = quote(f"echo?msg={word}", safe="")
    return {"httpGet": {"path": f"/dial?host={address}&port={_PORT}&request={request}", "port": _PORT}}


_PREFIX = "Container Lifecycle Hook when create a pod with lifecycle hook should execute"
TABLE: Mapping[str, Row] = {
    f"{_PREFIX} poststart exec hook properly": Row("postStart", AGNHOST, _execute),
    f"{_PREFIX} poststart http hook properly": Row("postStart", PAUSE, _get),
    f"{_PREFIX} prestop exec hook properly": Row("preStop", AGNHOST, _execute),
    f"{_PREFIX} prestop http hook properly": Row("preStop", PAUSE, _get),
}


@pytest.fixture(scope="module")
def hearer(shared: Workloads) -> str:
    """The address of the pod that hears of hooks; it prints what it is asked for."""
    hears = shared.serve(pod("hears", container(["netexec"]), **_GRACE))
    return str(hears["status"]["podIP"])


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest, shared: Workloads, hearer: str) -> Iterator[Callable[[str], Sequence[bool]]]:
    """Whether the other pod was told before a pod with the hook was deleted, and after that."""

    def run(name: str) -> Sequence[bool]:
        row, hooked = TABLE[name], f"hooked-{[*TABLE].index(name)}"
        startup = {"httpGet": {"path": "/echo?msg=startup", "port": _PORT}, "periodSeconds": 1}
        arguments = ["netexec", "--udp-port", "-1"]
        beside = container(arguments, name="passes-on", restartPolicy="Always", startupProbe=startup)
        box = container(name="hooked", image=row.image, lifecycle={row.when: row.handler(hearer, hooked)})
        word = f"GET /echo?msg={hooked}"
        shared.serve(pod(hooked, box, initContainers=[beside], restartPolicy="Always"))
        if row.image == AGNHOST:
            shared.until_log(hooked, "Paused", "hooked")  # by then a signal ends it
        if row.when == "postStart":
            shared.until_log("hears", word, limit=_START_SECONDS)
        before = word in shared.log("hears")
        shared.pods.delete(hooked, gracePeriodSeconds=15)
        shared.pods.until_gone(hooked, _GONE_SECONDS)
        shared.until_log("hears", word, limit=_STOP_SECONDS)
        return before, word in shared.log("hears")

    with side_by_side(request, "name", run) as found:
        yield found


@pytest.mark.parametrize("name", [pytest.param(name, marks=conformance(name)) for name in TABLE])
def test_hook(name: str, told: Callable[[str], Sequence[bool]], check: Checks) -> None:
    before, after = told(name)
    check("deleted", True)
    check("told", (before, after), (TABLE[name].when == "postStart", True))


@conformance("PreStop should call prestop when killing a pod")
def test_before_the_end(workloads: Workloads, check: Checks) -> None:
    server = workloads.serve(pod("server", container(["nettest"]), **_GRACE))
    address = server["status"]["podIP"]
    told = json.dumps({"Source": "prestop"})
    write = ["wget", "-O-", f"--post-data={told}", f"http://{address}:{_PORT}/write"]
    lifecycle = {"preStop": {"exec": {"command": write}}}
    workloads.serve(pod("tester", container(command=["sleep", "600"], lifecycle=lifecycle)))
    check("running", True)
    workloads.pods.delete("tester")

    def received() -> bool:
        found = json.loads(workloads.fetch("server", "read", _PORT))
        return bool((found.get("Received") or {}).get("prestop"))

    eventually(received, 60, pause=0.2)
    check("told", True)
