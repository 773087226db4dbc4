"""sig-cli: kubectl, where no container need run."""

import http.client
import json
import re
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from contract.api import Api, Items, Json, eventually
from contract.conformance import Checks, conformance
from contract.images import BUSYBOX, HTTPD, PAUSE
from contract.kubectl import NOT_ENDING, Kubectl
from contract.pods import pause_pod, until_ready, until_running

POD = "e2e-test-httpd-pod"
LABELS = {"app": "agnhost", "role": "primary"}
PRIMARY = "agnhost-primary"
SERVICE_SECONDS = 180
"""framework.ServiceStartTimeout of upstream's."""
MINUTE = 60
Lines = Sequence[tuple[str, ...]]


def _manifest(kind: str, version: str, name: str, replicas: int, image: str, labels: Json) -> Json:
    ports = [{"name": "agnhost-server", "containerPort": 6379}] if name == PRIMARY else []
    container = {"name": name, "image": image, "ports": ports}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    selector = {"matchLabels": labels} if kind == "Deployment" else labels
    spec = {"replicas": replicas, "selector": selector, "template": template}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": labels}, "spec": spec}


@conformance("Kubectl client Kubectl api-versions should check if v1 is in available api versions")
def test_api_versions(kubectl: Kubectl, check: Checks) -> None:
    check("v1", "v1" in kubectl("api-versions").split())


@conformance(
    "Kubectl client Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info"
)
def test_cluster_info(kubectl: Kubectl, check: Checks) -> None:
    check("control-plane", re.search(r"Kubernetes control plane.*is running at", kubectl("cluster-info")))


@conformance("Kubectl client Kubectl version should check is all data is printed")
def test_version(kubectl: Kubectl, check: Checks) -> None:
    printed = kubectl("version")
    for side in ("client", "server"):
        check(side, re.search(rf"{side.title()} Version: v\d\.\d+\.[\d\w\-.+]+", printed))


@conformance("Kubectl client Kubectl diff should check if kubectl diff finds a difference for Deployments")
def test_diff(api: Api, namespace: str, kubectl: Kubectl, check: Checks) -> None:
    manifest = json.dumps(_manifest("Deployment", "apps/v1", "httpd-deployment", 2, HTTPD, {"app": "httpd"}))
    kubectl("create", "-f", "-", text=manifest)
    printed = kubectl("diff", "-f", "-", text=manifest.replace(HTTPD, BUSYBOX), code=1)
    check("both-images", HTTPD in printed and BUSYBOX in printed)
    kubectl("delete", "-f", "-", text=manifest.replace(HTTPD, BUSYBOX))
    check("deleted", not api.objects("apps/v1", "Deployment", namespace).exists("httpd-deployment"))


def _image(api: Api, namespace: str) -> str:
    (container,) = api.objects("v1", "Pod", namespace).get(POD)["spec"]["containers"]
    return str(container["image"])


def _deleted(api: Api, namespace: str, kubectl: Kubectl) -> bool:
    """What `kubectl run` has made is deleted, and waited for."""
    kubectl("delete", "pods", POD)
    return not api.objects("v1", "Pod", namespace).exists(POD)


@conformance("Kubectl client Kubectl server-side dry-run should check if kubectl can dry-run update Pods")
def test_dry_run(api: Api, namespace: str, kubectl: Kubectl, check: Checks) -> None:
    kubectl("run", POD, f"--image={HTTPD}", f"--labels=run={POD}")
    patch = json.dumps({"spec": {"containers": [{"name": POD, "image": BUSYBOX}]}})
    kubectl("patch", "pod", POD, "-p", patch, "--dry-run=server")
    check("unchanged", _image(api, namespace), HTTPD)
    check("deleted", _deleted(api, namespace, kubectl))


@conformance("Kubectl client Kubectl run pod should create a pod from an image when restart is Never")
def test_run(api: Api, namespace: str, kubectl: Kubectl, check: Checks) -> None:
    kubectl("run", POD, "--restart=Never", "--pod-running-timeout=2m0s", f"--image={HTTPD}")
    check("image", _image(api, namespace), HTTPD)
    check("restart-policy", api.objects("v1", "Pod", namespace).get(POD)["spec"]["restartPolicy"], "Never")
    check("deleted", _deleted(api, namespace, kubectl))


@conformance("Kubectl client Kubectl replace should update a single-container pod's image")
def test_replace(api: Api, namespace: str, kubectl: Kubectl, check: Checks) -> None:
    kubectl("run", POD, f"--image={HTTPD}", "--pod-running-timeout=2m0s", f"--labels=run={POD}")
    until_running(api.objects("v1", "Pod", namespace), POD)
    check("running", True)
    found = kubectl("get", "pod", POD, "-o", "json")
    check("named", POD in found)
    kubectl("replace", "-f", "-", text=found.replace(HTTPD, BUSYBOX, 1))
    check("image", _image(api, namespace), BUSYBOX)
    check("deleted", _deleted(api, namespace, kubectl))


@conformance("Kubectl client Kubectl label should update the label on a resource")
def test_label(api: Api, namespace: str, kubectl: Kubectl, check: Checks) -> None:
    pods = api.objects("v1", "Pod", namespace)
    manifest = json.dumps({"apiVersion": "v1", "kind": "Pod", **pause_pod("pause", labels={"name": "pause"})})
    kubectl("create", "-f", "-", text=manifest)
    until_ready(pods, "pause")
    check("ready", True)
    kubectl("label", "pods", "pause", "testing-label=testing-label-value")
    check("added", "testing-label-value" in kubectl("get", "pod", "pause", "-L", "testing-label"))
    kubectl("label", "pods", "pause", "testing-label-")
    check("removed", "testing-label-value" not in kubectl("get", "pod", "pause", "-L", "testing-label"))
    kubectl("delete", "--grace-period=0", "--force", "-f", "-", text=manifest)
    selector = ("-l", "name=pause")
    eventually(lambda: kubectl("get", "rc,svc", *selector, "--no-headers") == "", MINUTE)
    eventually(lambda: kubectl("get", "pods", *selector, "-o", NOT_ENDING) == "", MINUTE)
    check("cleaned", True)


@pytest.fixture
def primary(api: Api, namespace: str, kubectl: Kubectl) -> str:
    """The name of the only pod of a ReplicationController, which runs."""
    manifest = _manifest("ReplicationController", "v1", PRIMARY, 1, PAUSE, LABELS)
    kubectl("create", "-f", "-", text=json.dumps(manifest))
    pods = api.objects("v1", "Pod", namespace)
    (name,) = pods.until(lambda items: items, 300, label="app=agnhost")
    until_running(pods, name)
    return name


def _has(printed: str, *wanted: tuple[str, ...]) -> bool:
    """Whether lines have these words, in this order; one line may be what several ask for."""
    lines = printed.splitlines()
    for words in wanted:
        lines = lines[next((number for number, line in enumerate(lines) if words[0] in line), len(lines)) :]
        if not lines or not all(word in lines[0] for word in words):
            return False
    return True


@conformance("Kubectl client Kubectl patch should add annotations for pods in rc")
def test_patch(api: Api, namespace: str, kubectl: Kubectl, check: Checks, request: pytest.FixtureRequest) -> None:
    name = request.getfixturevalue("primary")
    check("running", True)
    kubectl("patch", "pod", name, "-p", '{"metadata":{"annotations":{"x":"y"}}}')
    check("annotated", api.objects("v1", "Pod", namespace).get(name)["metadata"]["annotations"]["x"], "y")


@conformance("Kubectl client Kubectl expose should create services for rc")
def test_expose(api: Api, namespace: str, kubectl: Kubectl, check: Checks, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("primary")
    services = api.objects("v1", "Service", namespace)
    slices = api.objects("discovery.k8s.io/v1", "EndpointSlice", namespace)

    def leads(name: str, port: int) -> bool:
        """Whether there is the Service of one port, and it comes to lead to one pod's port."""
        services.until(lambda items: name in items, SERVICE_SECONDS)
        label = f"kubernetes.io/service-name={name}"
        reached = slices.until(_ports_of_pods, SERVICE_SECONDS, label=label)
        (found,) = services.get(name)["spec"]["ports"]
        return (list(_ports_of_pods(reached).values()), found["port"], found["targetPort"]) == ([6379], port, 6379)

    kubectl("expose", "rc", PRIMARY, "--name=rm2", "--port=1234", "--target-port=6379")
    check("controller", leads("rm2", 1234))
    kubectl("expose", "service", "rm2", "--name=rm3", "--port=2345", "--target-port=6379")
    check("service", leads("rm3", 2345))


def _ports_of_pods(slices: Items) -> dict[str, int]:
    """The first port by the uid of each pod that slices lead to."""
    return {
        endpoint["targetRef"]["uid"]: item["ports"][0]["port"]
        for item in slices.values()
        for endpoint in item["endpoints"]
    }


@conformance(
    "Kubectl client Kubectl describe should check if kubectl describe prints relevant information for rc and pods"
)
def test_describe(api: Api, namespace: str, kubectl: Kubectl, check: Checks, request: pytest.FixtureRequest) -> None:
    name = request.getfixturevalue("primary")
    spec = {"selector": LABELS, "ports": [{"port": 6379, "targetPort": "agnhost-server"}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": PRIMARY, "labels": LABELS}, "spec": spec}
    kubectl("create", "-f", "-", text=json.dumps(service))
    (node, *_) = api.objects("v1", "Node").names()
    for assertion, (words, lines) in _described(name, namespace, node).items():

        def is_told(words: Sequence[str] = words, lines: Lines = lines) -> bool:
            return _has(kubectl("describe", *words), *lines)

        if assertion == "controller":  # its events may come later
            eventually(is_told, MINUTE, 1)
        check(assertion, is_told())


def _described(pod: str, namespace: str, node: str) -> dict[str, tuple[Sequence[str], Lines]]:
    """What is described, and words of the lines that must be there, in this order."""
    labels: Lines = [("Labels:", "app=agnhost"), ("role=primary",), ("Annotations:",)]
    named: Lines = [("Name:", PRIMARY), ("Namespace:", namespace)]
    return {
        "pod": (("pod", pod), [
            ("Name:", f"{PRIMARY}-"), ("Namespace:", namespace), ("Node:",), *labels, ("Status:", "Running"), ("IP:",),
            ("Controlled By:", f"ReplicationController/{PRIMARY}"), ("Image:", PAUSE), ("State:", "Running"),
            ("QoS Class:", "BestEffort"),
        ]),
        "controller": (("rc", PRIMARY), [
            *named, ("Selector:", "app=agnhost,role=primary"), *labels, ("Replicas:", "1 current", "1 desired"),
            ("Pods Status:", "1 Running", "0 Waiting", "0 Succeeded", "0 Failed"), ("Pod Template:",),
            ("Image:", PAUSE), ("Events:",),
        ]),
        "service": (("service", PRIMARY), [
            *named, *labels, ("Selector:", "app=agnhost", "role=primary"), ("Type:", "ClusterIP"), ("IP:",),
            ("Port:", "<unset>", "6379/TCP"), ("Endpoints:",), ("Session Affinity:", "None"),
        ]),
        "node": (("node", node), [
            ("Name:", node), ("Labels:",), ("Annotations:",), ("CreationTimestamp:",), ("Conditions:",),
            ("Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message"), ("Addresses:",),
            ("Capacity:",), ("Version:",), ("Kernel Version:",), ("OS Image:",), ("Container Runtime Version:",),
            ("Kubelet Version:",), ("Pods:",),
        ]),
        "namespace": (("namespace", namespace), [
            ("Name:", namespace), ("Labels:",), ("Annotations:",), ("Status:", "Active"),
        ]),
    }  # fmt: skip


@contextmanager
def _proxy(kubectl: Kubectl, *options: str) -> Iterator[str]:
    """What a running kubectl proxy says first."""
    command = kubectl.line("proxy", *options)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        try:
            output: IO[str] | None = running.stdout
            assert output is not None
            yield output.readline()
        finally:
            running.terminate()


def _api_versions(connection: http.client.HTTPConnection) -> list[str]:
    connection.request("GET", "/api/")
    found: Json = json.loads(connection.getresponse().read())
    connection.close()
    return list(found["versions"])


@conformance("Kubectl client Proxy server should support proxy with --port 0")
def test_proxy_on_a_free_port(kubectl: Kubectl, check: Checks) -> None:
    with _proxy(kubectl, "-p", "0", "--disable-filter") as said:
        port = re.search(r"Starting to serve on .*:(\d+)", said)
        check("port", port)
        assert port is not None
        check("versions", _api_versions(http.client.HTTPConnection("127.0.0.1", int(port[1]), timeout=30)))


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket that is a file."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


@conformance("Kubectl client Proxy server should support --unix-socket=/path")
def test_proxy_on_a_socket(kubectl: Kubectl, check: Checks, tmp_path: Path) -> None:
    with _proxy(kubectl, f"--unix-socket={tmp_path / 'p'}") as said:
        check("said", said)
        check("versions", _api_versions(_UnixConnection(tmp_path / "p")))
