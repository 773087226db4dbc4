"""sig-node: what a container runs, what becomes of its output, and the files that the node gives it."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from contract.api import Json
from contract.conformance import Checks, conformance
from contract.images import BUSYBOX
from contract.pods import until_ready
from contract.side_by_side import side_by_side
from contract.workloads import Ended, Workloads, container, pod

_GRACE: Json = {"terminationGracePeriodSeconds": 1}
_GONE_SECONDS = 60
_HOSTS, _ORIGINAL = "/etc/hosts", "/etc/hosts-original"
_MANAGED = "# Kubernetes-managed hosts file."
_OVERRIDES: Mapping[str, tuple[Json, str]] = {
    "Containers should be able to override the image's default arguments (container cmd)": (
        {"args": ["entrypoint-tester", "override", "arguments"]}, "[/agnhost entrypoint-tester override arguments]",
    ),
    "Containers should be able to override the image's default command (container entrypoint)": (
        {"command": ["/agnhost-2"], "args": ["entrypoint-tester"]}, "[/agnhost-2 entrypoint-tester]",
    ),
    "Containers should be able to override the image's default command and arguments": (
        {"command": ["/agnhost-2"], "args": ["entrypoint-tester", "override", "arguments"]},
        "[/agnhost-2 entrypoint-tester override arguments]",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def outcome(request: pytest.FixtureRequest, shared: Workloads) -> Iterator[Callable[[str], Ended]]:
    """What came of the pods of the table, by what they stand for."""

    def run(name: str) -> Ended:
        given, _ = _OVERRIDES[name]
        return shared.run(pod(f"override-{[*_OVERRIDES].index(name)}", container(**given)))

    with side_by_side(request, "name", run) as found:
        yield found


@pytest.mark.parametrize("name", [pytest.param(name, marks=conformance(name)) for name in _OVERRIDES])
def test_command(name: str, outcome: Callable[[str], Ended], check: Checks) -> None:
    ended = outcome(name)
    check("succeeded", ended.phase, "Succeeded")
    _, wanted = _OVERRIDES[name]
    check("command", ended.lines, [wanted])


@conformance("Containers should use the image defaults if command and args are blank")
def test_the_images_command(workloads: Workloads, check: Checks) -> None:
    workloads.serve(pod("client-containers", container(), **_GRACE))
    check("running", True)
    workloads.until_log("client-containers", "Paused")
    check("paused", True)


@conformance("Kubelet when scheduling a busybox command in a pod should print the output to logs")
def test_output(workloads: Workloads, check: Checks) -> None:
    command = ["sh", "-c", "echo 'Hello World' ; sleep 240"]
    workloads.serve(pod("busybox-scheduling", container(image=BUSYBOX, command=command), **_GRACE))
    workloads.until_log("busybox-scheduling", "Hello World\n")
    check("output", workloads.log("busybox-scheduling", sinceSeconds=3600), "Hello World\n")


def _failing() -> Json:
    return pod("bin-false", container(image=BUSYBOX, command=["/bin/false"]))


@conformance("Kubelet when scheduling a busybox command that always fails in a pod should have an terminated reason")
def test_the_reason_of_an_end(workloads: Workloads, check: Checks) -> None:
    ended = workloads.run(_failing())
    (status,) = ended.pod["status"]["containerStatuses"]
    check("code", status["state"]["terminated"]["exitCode"] != 0)
    check("reason", status["state"]["terminated"]["reason"])


@conformance("Kubelet when scheduling a busybox command that always fails in a pod should be possible to delete")
def test_what_failed_goes(workloads: Workloads, check: Checks) -> None:
    workloads.run(_failing())
    workloads.pods.delete("bin-false")
    workloads.pods.until_gone("bin-false", _GONE_SECONDS)
    check("deleted", True)


@conformance("Kubelet when scheduling a read only busybox container should not write to root filesystem")
def test_root_that_is_read_only(workloads: Workloads, check: Checks) -> None:
    command = ["/bin/sh", "-c", "echo test > /file; sleep 240"]
    box = container(image=BUSYBOX, command=command, securityContext={"readOnlyRootFilesystem": True})
    workloads.serve(pod("busybox-readonly-fs", box, **_GRACE))
    workloads.until_log("busybox-readonly-fs", "\n")
    check("output", workloads.log("busybox-readonly-fs"), "/bin/sh: can't create /file: Read-only file system\n")


@conformance("Kubelet when scheduling an agnhost Pod with hostAliases should write entries to /etc/hosts")
def test_host_aliases(workloads: Workloads, check: Checks) -> None:
    aliases = [{"ip": "123.45.67.89", "hostnames": ["foo", "bar"]}]
    ended = workloads.run(pod("agnhost-host-aliases", container(["etc-hosts"]), hostAliases=aliases))
    check("entry", "123.45.67.89\tfoo\tbar" in ended.lines)


@conformance("KubeletManagedEtcHosts should test kubelet managed /etc/hosts file")
def test_hosts(workloads: Workloads, check: Checks) -> None:
    beside = [{"name": "host-etc-hosts", "mountPath": _ORIGINAL}]
    instead = [*beside, {"name": "host-etc-hosts", "mountPath": _HOSTS}]
    volume = {"name": "host-etc-hosts", "hostPath": {"path": _HOSTS, "type": "FileOrCreate"}}
    boxes = [container(name=f"busybox-{number}", volumeMounts=beside) for number in (1, 2)]
    own = container(name="busybox-3", volumeMounts=instead)
    workloads.pods.create(pod("test-pod", *boxes, own, volumes=[volume], **_GRACE))
    workloads.serve(pod("test-host-network-pod", *boxes, volumes=[volume], hostNetwork=True, **_GRACE))
    until_ready(workloads.pods, "test-pod")
    check("managed", _managed(workloads, "test-pod", "busybox-1", "busybox-2"), [True, True])
    check("mounted", _managed(workloads, "test-pod", "busybox-3"), [False])
    names = ("busybox-1", "busybox-2")
    check("host-network", _managed(workloads, "test-host-network-pod", *names), [False, False])


def _managed(workloads: Workloads, name: str, *containers: str) -> list[bool]:
    """Whether the node wrote the file of each: it says so there, and it is not the machine's."""
    found = []
    for each in containers:
        hosts = workloads.execute(name, "cat", _HOSTS, container=each)
        original = workloads.execute(name, "cat", _ORIGINAL, container=each)
        assert hosts
        assert original
        found.append(hosts.startswith(_MANAGED) and hosts != original)
    return found
