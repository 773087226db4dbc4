"""sig-cli: kubectl, where no container need run."""

import http.client
import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from contract.api import Api, Json
from contract.conformance import Checks, conformance
from contract.kubectl import Kubectl
from contract.pods import PAUSE, pause_pod, until_running

HTTPD = "registry.k8s.io/e2e-test-images/httpd:2.4.38-4"
BUSYBOX = "registry.k8s.io/e2e-test-images/busybox:1.37.0-1"
POD = "e2e-test-httpd-pod"
LABELS = {"app": "agnhost", "role": "primary"}


def _manifest(kind: str, version: str, name: str, replicas: int, image: str, labels: Json) -> Json:
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, "image": image}]}}
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
def test_diff(kubectl: Kubectl, check: Checks) -> None:
    manifest = json.dumps(_manifest("Deployment", "apps/v1", "httpd-deployment", 2, HTTPD, {"app": "httpd"}))
    kubectl("create", "-f", "-", text=manifest)
    printed = kubectl("diff", "-f", "-", text=manifest.replace(HTTPD, BUSYBOX), code=1)
    check("both-images", HTTPD in printed and BUSYBOX in printed)


def _image(api: Api, namespace: str) -> str:
    (container,) = api.objects("v1", "Pod", namespace).get(POD)["spec"]["containers"]
    return str(container["image"])


@conformance("Kubectl client Kubectl server-side dry-run should check if kubectl can dry-run update Pods")
def test_dry_run(api: Api, namespace: str, kubectl: Kubectl, check: Checks) -> None:
    kubectl("run", POD, f"--image={HTTPD}", f"--labels=run={POD}")
    patch = json.dumps({"spec": {"containers": [{"name": POD, "image": BUSYBOX}]}})
    kubectl("patch", "pod", POD, "-p", patch, "--dry-run=server")
    check("unchanged", _image(api, namespace), HTTPD)
    kubectl("delete", "pods", POD, "--wait=false")


@conformance("Kubectl client Kubectl run pod should create a pod from an image when restart is Never")
def test_run(api: Api, namespace: str, kubectl: Kubectl, check: Checks) -> None:
    kubectl("run", POD, "--restart=Never", f"--image={HTTPD}")
    check("image", _image(api, namespace), HTTPD)
    check("restart-policy", api.objects("v1", "Pod", namespace).get(POD)["spec"]["restartPolicy"], "Never")
    kubectl("delete", "pods", POD, "--wait=false")


@conformance("Kubectl client Kubectl replace should update a single-container pod's image")
def test_replace(api: Api, namespace: str, kubectl: Kubectl, check: Checks) -> None:
    kubectl("run", POD, f"--image={HTTPD}", f"--labels=run={POD}")
    until_running(api.objects("v1", "Pod", namespace), POD)
    check("running", True)
    found = kubectl("get", "pod", POD, "-o", "json")
    check("named", POD in found)
    kubectl("replace", "-f", "-", text=found.replace(HTTPD, BUSYBOX, 1))
    check("image", _image(api, namespace), BUSYBOX)
    kubectl("delete", "pods", POD, "--wait=false")


@conformance("Kubectl client Kubectl label should update the label on a resource")
def test_label(api: Api, namespace: str, kubectl: Kubectl, check: Checks) -> None:
    pods = api.objects("v1", "Pod", namespace)
    pods.create(pause_pod("pause"))
    until_running(pods, "pause")
    check("running", True)
    kubectl("label", "pods", "pause", "testing-label=testing-label-value")
    check("added", "testing-label-value" in kubectl("get", "pod", "pause", "-L", "testing-label"))
    kubectl("label", "pods", "pause", "testing-label-")
    check("removed", "testing-label-value" not in kubectl("get", "pod", "pause", "-L", "testing-label"))


@pytest.fixture
def primary(api: Api, namespace: str, kubectl: Kubectl) -> str:
    """The name of the only pod of a ReplicationController, which runs."""
    manifest = _manifest("ReplicationController", "v1", "agnhost-primary", 1, PAUSE, LABELS)
    kubectl("create", "-f", "-", text=json.dumps(manifest))
    pods = api.objects("v1", "Pod", namespace)
    (name,) = pods.until(lambda items: items, 300, label="app=agnhost")
    until_running(pods, name)
    return name


def _has(printed: str, *wanted: tuple[str, ...]) -> bool:
    """Whether lines have these words, in this order."""
    lines = iter(printed.splitlines())
    for words in wanted:
        line = next((line for line in lines if words[0] in line), None)
        if line is None or not all(word in line for word in words):
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
    services, endpoints = (api.objects("v1", kind, namespace) for kind in ("Service", "Endpoints"))

    def leads(name: str, port: int) -> bool:
        """Whether there is the Service of one port, and its only endpoint is the pod's."""
        (found,) = services.get(name)["spec"]["ports"]

        def reached(items: dict[str, Json]) -> bool:
            subsets = items.get(name, {}).get("subsets", [])
            return [(len(one.get("addresses", [])), one["ports"][0]["port"]) for one in subsets] == [(1, 6379)]

        endpoints.until(reached, 180, field=f"metadata.name={name}")
        return (found["port"], found["targetPort"]) == (port, 6379)

    kubectl("expose", "rc", "agnhost-primary", "--name=rm2", "--port=1234", "--target-port=6379")
    check("controller", leads("rm2", 1234))
    kubectl("expose", "service", "rm2", "--name=rm3", "--port=2345", "--target-port=6379")
    check("service", leads("rm3", 2345))


@conformance(
    "Kubectl client Kubectl describe should check if kubectl describe prints relevant information for rc and pods"
)
def test_describe(api: Api, namespace: str, kubectl: Kubectl, check: Checks, request: pytest.FixtureRequest) -> None:
    spec = {"selector": LABELS, "ports": [{"port": 6379}]}
    service = {"metadata": {"name": "agnhost-primary", "labels": LABELS}, "spec": spec}
    api.objects("v1", "Service", namespace).create(service)
    name = request.getfixturevalue("primary")
    pod = api.objects("v1", "Pod", namespace).get(name)
    printed = kubectl("describe", "pod", name)
    lines = [("Name:", "agnhost-primary-"), ("Namespace:", namespace), ("Node:",), ("Labels:", "app=agnhost")]
    lines += [
        ("role=primary",),
        ("Status:", "Running"),
        ("IP:",),
        ("Controlled By:", "ReplicationController/agnhost-primary"),
    ]
    check("pod", _has(printed, *lines, ("Image:", PAUSE), ("State:", "Running"), ("QoS Class:", "BestEffort")))
    printed = kubectl("describe", "rc", "agnhost-primary")
    lines = [("Name:", "agnhost-primary"), ("Namespace:", namespace), ("Selector:", "app=agnhost,role=primary")]
    lines += [("Labels:", "app=agnhost"), ("role=primary",), ("Replicas:", "1 current", "1 desired")]
    lines += [
        ("Pods Status:", "1 Running", "0 Waiting", "0 Succeeded", "0 Failed"),
        ("Pod Template:",),
        ("Image:", PAUSE),
    ]
    check("controller", _has(printed, *lines, ("Events:",)))
    printed = kubectl("describe", "service", "agnhost-primary")
    lines = [("Name:", "agnhost-primary"), ("Namespace:", namespace), ("Labels:", "app=agnhost"), ("role=primary",)]
    lines += [
        ("Selector:", "app=agnhost,role=primary"),
        ("Type:", "ClusterIP"),
        ("IP:",),
        ("Port:", "<unset>", "6379/TCP"),
    ]
    check("service", _has(printed, *lines, ("Endpoints:",), ("Session Affinity:", "None")))
    printed = kubectl("describe", "node", pod["spec"]["nodeName"])
    lines = [
        ("Name:", pod["spec"]["nodeName"]),
        ("Labels:",),
        ("Annotations:",),
        ("CreationTimestamp:",),
        ("Conditions:",),
    ]
    lines += [("Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message"), ("Addresses:",)]
    lines += [("Capacity:",), ("Version:",), ("Kubelet Version:",), ("Pods:",)]
    check("node", _has(printed, *lines))
    check(
        "namespace",
        _has(kubectl("describe", "namespace", namespace), ("Name:", namespace), ("Labels:",), ("Status:", "Active")),
    )


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
