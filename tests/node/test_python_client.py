"""The official Python client, unmodified, on pods that run."""

import gc
import secrets
import threading
from collections.abc import Iterator

import pytest
from kubernetes import client, config, watch
from kubernetes.stream import portforward, stream

from fakes.command import PATIENCE, Cluster

# The client leaves the sockets of its streams to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def core(cluster: Cluster) -> Iterator[client.CoreV1Api]:
    with config.new_client_from_config(str(cluster.kubeconfig)) as api:
        yield client.CoreV1Api(api)
        api.rest_client.pool_manager.clear()
    for thread in threading.enumerate():
        if thread.name.startswith("Kubernetes port forward proxy"):
            thread.join(PATIENCE)  # it holds its socket, which is garbage only after it
    gc.collect()


@pytest.fixture
def pod(core: client.CoreV1Api, image: str) -> str:
    """A pod that was created and watched until it was Ready."""
    name = f"py-{secrets.token_hex(3)}"
    container = client.V1Container(name="web", image=image, ports=[client.V1ContainerPort(container_port=8080)])
    body = client.V1Pod(metadata=client.V1ObjectMeta(name=name), spec=client.V1PodSpec(containers=[container]))
    core.create_namespaced_pod("default", body)
    for event in watch.Watch().stream(
        core.list_namespaced_pod, "default", field_selector=f"metadata.name={name}", timeout_seconds=60
    ):
        conditions = event["object"].status.conditions or []
        if any(each.type == "Ready" and each.status == "True" for each in conditions):
            return name
    raise AssertionError(f"{name} did not become Ready")


def test_exec_and_logs(core: client.CoreV1Api, pod: str) -> None:
    echoed = stream(
        core.connect_get_namespaced_pod_exec, pod, "default", command=["/bin/busybox", "echo", "hi"],
        stdin=False, stdout=True, stderr=True, tty=False,
    )  # fmt: skip
    assert echoed.strip() == "hi"
    session = stream(
        core.connect_get_namespaced_pod_exec, pod, "default", command=["/bin/busybox", "sh"],
        stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False,
    )  # fmt: skip
    session.write_stdin("echo there; exit 3\n")
    session.run_forever(timeout=20)
    assert session.read_stdout().strip() == "there"
    assert session.returncode == 3
    session.close()
    assert core.read_namespaced_pod_log(pod, "default") == ""


def test_port_forward(core: client.CoreV1Api, pod: str) -> None:
    forwarded = portforward(core.connect_get_namespaced_pod_portforward, pod, "default", ports="8080")
    connection = forwarded.socket(8080)
    connection.settimeout(20)
    connection.sendall(b"GET /cgi-bin/answer HTTP/1.0\r\n\r\n")
    answer = b""
    while piece := connection.recv(4096):
        answer += piece
    connection.close()
    assert b"version 1" in answer
    assert forwarded.error(8080) is None
