"""sig-storage: directories that are a pod's own, on disk and in memory, and what is made in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from _pytest.mark import ParameterSet

from contract.api import Api, Json
from contract.conformance import Checks, conformance
from contract.images import BUSYBOX, PAUSE
from contract.pods import START_SECONDS, phase, until_running
from contract.side_by_side import side_by_side
from contract.workloads import Ended, Workloads, container, pod

VOLUME = "/test-volume"
FILE = f"{VOLUME}/test-file"
NOBODY = 1001
RACING_VOLUMES, RACING_PODS, RACES = 50, 5, 3


@dataclass(frozen=True)
class Scratch:
    """A directory that is written into, unless it is the directory that is looked at."""

    medium: str
    user: int = 0
    mode: int | None = None

    @property
    def name(self) -> str:
        """What the pod is called."""
        return f"pod-{self.user}-{self.mode or 0:o}-{self.medium.lower() or 'default'}"

    @property
    def pod(self) -> Json:
        """The pod that does so."""
        seen = FILE if self.mode else VOLUME
        new = [f"--new_file_{self.mode:04o}={FILE}"] if self.mode else []
        arguments = ["mounttest", f"--fs_type={VOLUME}", *new, f"--file_perm={seen}"]
        mounts = [{"name": "test-volume", "mountPath": VOLUME}]
        context = {"seLinuxOptions": {"level": "s0"}, **({"runAsUser": self.user} if self.user else {})}
        volumes = [{"name": "test-volume", "emptyDir": {"medium": self.medium} if self.medium else {}}]
        each = container(arguments, name="test-container", volumeMounts=mounts)
        return pod(self.name, each, volumes=volumes, securityContext=context)


def _row(who: str, mode: int, where: str) -> ParameterSet:
    case = Scratch("Memory" if where == "tmpfs" else "", NOBODY if who == "non-root" else 0, mode)
    name = f"{who},{mode:04o},{where}"
    return pytest.param(case, marks=conformance(f"EmptyDir volumes should support ({name})"), id=name)


FILES = [
    _row(who, mode, where)
    for who in ("root", "non-root")
    for mode in (0o644, 0o666, 0o777)
    for where in ("default", "tmpfs")
]
DIRECTORIES = [
    pytest.param(
        Scratch(medium),
        marks=conformance(f"EmptyDir volumes volume on {where} should have the correct mode"),
        id=medium or "Disk",
    )
    for medium, where in (("", "default medium"), ("Memory", "tmpfs"))
]


@pytest.fixture(scope="module")
def ended(request: pytest.FixtureRequest, shared: Workloads) -> Iterator[Callable[[Scratch], Ended]]:
    """What a case's pod came to."""

    def run(case: Scratch) -> Ended:
        return shared.run(case.pod)

    with side_by_side(request, "case", run) as outcome:
        yield outcome


def _check_place(check: Checks, case: Scratch, found: Ended) -> None:
    check("succeeded", found.phase, "Succeeded")
    kinds = [line for line in found.lines if line.startswith("mount type of")]
    in_memory = kinds == [f'mount type of "{VOLUME}": tmpfs']
    if case.medium:
        check("in-memory", in_memory)
    else:
        check("on-disk", bool(kinds) and not in_memory)


@pytest.mark.parametrize("case", FILES)
def test_a_file_is_made(case: Scratch, ended: Callable[[Scratch], Ended], check: Checks) -> None:
    found = ended(case)
    _check_place(check, case, found)
    bits = {0o644: "-rw-r--r--", 0o666: "-rw-rw-rw-", 0o777: "-rwxrwxrwx"}[case.mode or 0]
    check("mode", [line for line in found.lines if "perms" in line], [f'perms of file "{FILE}": {bits}'])
    contents = [line for line in found.lines if "content" in line]
    check("content", contents, [f'content of file "{FILE}": mount-tester new file'])


@pytest.mark.parametrize("case", DIRECTORIES)
def test_the_directory(case: Scratch, ended: Callable[[Scratch], Ended], check: Checks) -> None:
    found = ended(case)
    _check_place(check, case, found)
    check("mode", [line for line in found.lines if "perms" in line], [f'perms of file "{VOLUME}": -rwxrwxrwx'])


@conformance("EmptyDir volumes pod should support shared volumes between containers")
def test_containers_share_it(workloads: Workloads, check: Checks) -> None:
    message = "Hello from the busy-box sub-container"

    def busybox(name: str, script: str, path: str) -> Json:
        mounts = [{"name": "shared-data", "mountPath": path}]
        return container(["-c", script], name=name, image=BUSYBOX, command=["/bin/sh"], volumeMounts=mounts)

    reader = busybox("busybox-main-container", "sleep 100000", "/usr/share/volumeshare")
    writer = busybox("busybox-sub-container", f"echo {message} > /pod-data/shareddata.txt", "/pod-data")
    volumes = [{"name": "shared-data", "emptyDir": {}}]
    workloads.pods.create(pod("pod-sharedvolume", reader, writer, volumes=volumes, terminationGracePeriodSeconds=0))

    def written(found: Json) -> bool:
        states = {each["name"]: each["state"] for each in found["status"].get("containerStatuses", [])}
        return phase(found) == "Running" and "terminated" in states.get(writer["name"], {})

    check("running", phase(workloads.until("pod-sharedvolume", written)), "Running")
    command = ("cat", "/usr/share/volumeshare/shareddata.txt")
    check("shared", workloads.execute("pod-sharedvolume", *command, container=reader["name"]), f"{message}\n")


@conformance("EmptyDir wrapper volumes should not conflict")
def test_volumes_of_two_kinds(api: Api, workloads: Workloads, check: Checks) -> None:
    name = "emptydir-wrapper-test"
    content = {"data-1": "dmFsdWUtMQo="}
    metadata = {"name": name}
    api.objects("v1", "Secret", workloads.namespace).create({"metadata": metadata, "data": content})
    api.objects("v1", "ConfigMap", workloads.namespace).create({"metadata": metadata, "binaryData": content})
    volumes: list[Json] = [
        {"name": "secret-volume", "secret": {"secretName": name}},
        {"name": "configmap-volume", "configMap": {"name": name}},
    ]
    mounts = [{"name": each["name"], "mountPath": f"/etc/{each['name']}", "readOnly": True} for each in volumes]
    each = container(["test-webserver"], name="secret-test", volumeMounts=mounts)
    found = workloads.serve(pod("pod-secrets", each, volumes=volumes, terminationGracePeriodSeconds=0))
    check("running", phase(found), "Running")
    for volume in ("secret", "configmap"):
        check(volume, workloads.execute("pod-secrets", "cat", f"/etc/{volume}-volume/data-1"), "value-1\n")


@conformance("EmptyDir wrapper volumes should not cause race condition when used for configmaps")
def test_many_volumes_of_many_pods(api: Api, workloads: Workloads, check: Checks) -> None:
    names = [f"racey-configmap-{number}" for number in range(RACING_VOLUMES)]
    for name in names:
        made = {"metadata": {"name": name}, "data": {"data-1": "value-1"}}
        api.objects("v1", "ConfigMap", workloads.namespace).create(made)
    items = [{"key": "data-1", "path": "data-1"}]
    volumes = [{"name": name, "configMap": {"name": name, "items": items}} for name in names]
    mounts = [{"name": name, "mountPath": f"/etc/config-{number}"} for number, name in enumerate(names)]
    each = container(name="test-container", image=PAUSE, volumeMounts=mounts)
    spec = pod("", each, volumes=volumes, dnsPolicy="Default", restartPolicy="Always")["spec"]
    controllers = api.objects("v1", "ReplicationController", workloads.namespace)
    for race in range(RACES):
        labels = {"race": "wrapped-volume", "name": f"wrapped-volume-race-{race}"}
        template = {"metadata": {"labels": labels}, "spec": {**spec, "affinity": _one_node(api)}}
        wanted = {"replicas": RACING_PODS, "selector": labels, "template": template}
        controllers.create({"metadata": {"name": labels["name"]}, "spec": wanted})
    label, count = "race=wrapped-volume", RACES * RACING_PODS
    pods = workloads.pods.until(lambda found: len(found) == count, START_SECONDS, label=label)
    check("made", len(pods), count)
    check("running", {phase(until_running(workloads.pods, name)) for name in pods}, {"Running"})


def _one_node(api: Api) -> Json:
    """The wish for a node that takes pods: all of them are to race there."""
    nodes = [node for node in api.objects("v1", "Node").items() if not node["spec"].get("unschedulable")]
    chosen = [nodes[0]["metadata"]["labels"]["kubernetes.io/hostname"]]
    match = {"key": "kubernetes.io/hostname", "operator": "In", "values": chosen}
    terms = [{"matchExpressions": [match]}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
