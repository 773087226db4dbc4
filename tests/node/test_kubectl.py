"""Every kubectl of this machine on pods that run: what people type all day."""

import json
import os
import pty
import re
import secrets
import select
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fakes.application import deployment, service
from fakes.command import Cluster, eventually
from fakes.kubectls import installed

DOCKERFILE = """
FROM scratch
COPY --from=machine busybox /bin/busybox
COPY --from=machine busybox /bin/sh
COPY --from=machine busybox /bin/tar
COPY --from=machine catatonit /bin/init
ENV PATH=/bin
ENTRYPOINT ["/bin/init", "--", "/bin/busybox", "sh", "-c"]
CMD ["i=0; while :; do echo tick $i; i=$((i + 1)); busybox sleep 0.2; done"]
"""
"""A box with a shell and tar, that counts aloud."""

Kubectl = Callable[..., str]


@pytest.fixture(scope="module")
def box(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("box")
    (place / "Dockerfile").write_text(DOCKERFILE)
    name = f"box-{secrets.token_hex(3)}:1"
    cluster.run("image", "build", str(place), "-t", name, "--build-context", "machine=/usr/bin", check=True)
    return name


@pytest.fixture(params=installed(), ids=lambda path: Path(path).name)
def kubectl(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Kubectl]:
    """Types a command in a namespace of its own."""
    namespace = f"k{secrets.token_hex(4)}"

    def run(*words: str, text: str = "") -> str:
        return cluster.kubectl("-n", namespace, *words, text=text, binary=request.param)

    run.words = [request.param, "--kubeconfig", str(cluster.kubeconfig), "-n", namespace]  # type: ignore[attr-defined]
    run("create", "namespace", namespace)
    yield run
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def words_of(kubectl: Kubectl) -> list[str]:
    found: list[str] = kubectl.words  # type: ignore[attr-defined]
    return found


@contextmanager
def running(kubectl: Kubectl, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until the block ends."""
    command = [*words_of(kubectl), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def line_with(process: subprocess.Popen[str], pattern: str) -> str:
    """Read until a line fits."""
    assert process.stdout is not None
    for line in process.stdout:
        if re.search(pattern, line):
            return line
    raise AssertionError(f"ended without {pattern}")


def test_one_pod(kubectl: Kubectl, box: str, tmp_path: Path) -> None:
    kubectl("run", "box", f"--image={box}")
    kubectl("wait", "--for=condition=Ready", "pod/box", "--timeout=60s")
    assert re.search(r"box\s+1/1\s+Running\s+0\s+\S+\s+\d+\.\d+\.\d+\.\d+\s", kubectl("get", "pods", "-o", "wide"))
    assert "phase: Running" in kubectl("get", "pod", "box", "-o", "yaml")
    described = kubectl("describe", "pod", "box")
    assert re.search(r"Normal\s+Scheduled\s", described)
    assert re.search(r"Normal\s+Started\s.*kubelet", described)
    assert "Started" in kubectl("events", "--for", "pod/box")
    with running(kubectl, "logs", "-f", "box") as logs:
        assert line_with(logs, r"^tick 0$")
        assert line_with(logs, r"^tick [3-9]$")
    assert kubectl("logs", "box", "--tail=1").startswith("tick ")
    with running(kubectl, "attach", "box") as attached:
        assert line_with(attached, r"^tick \d+$")
    assert kubectl("exec", "box", "--", "busybox", "echo", "hi").strip() == "hi"
    assert kubectl("exec", "-i", "box", "--", "busybox", "cat", text="through\n").strip() == "through"
    (tmp_path / "there").write_text("a file\n" * 10_000)
    kubectl("cp", str(tmp_path / "there"), "box:/copied")
    kubectl("cp", "box:/copied", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == (tmp_path / "there").read_text()
    assert "tty" in on_terminal([*words_of(kubectl), "exec", "-it", "box", "--", "sh"], "busybox tty; exit 7\n", 7)
    kubectl(
        "debug", "box", f"--image={box}", "--target=box", "--container=look", "--", "busybox", "cat", "/proc/1/cmdline"
    )
    states = "jsonpath={.status.ephemeralContainerStatuses[*].state}"
    eventually(lambda: "Completed" in kubectl("get", "pod", "box", "-o", states))
    assert "echo tick" in kubectl("logs", "box", "-c", "look")
    assert re.search(r"Ephemeral Containers:\s+look:", kubectl("describe", "pod", "box"))
    assert re.search(r"box\s+1/1\s+Running\s+0\s", kubectl("get", "pods"))
    node = kubectl("get", "pod", "box", "-o", "jsonpath={.spec.nodeName}").strip()
    told = kubectl("debug", f"node/{node}", f"--image={box}", "--", "busybox", "ls", "/host")
    debugger = re.search(r"node-debugger-\S+", told)
    assert debugger is not None
    phase = ("get", "pod", debugger[0], "-o", "jsonpath={.status.phase}")
    eventually(lambda: kubectl(*phase) == "Succeeded")
    assert "etc\n" in kubectl("logs", debugger[0])
    kubectl("delete", "pod", "box", debugger[0], "--grace-period=1")
    assert "No resources found" in kubectl("get", "pods") or kubectl("get", "pods") == ""


def test_an_application(kubectl: Kubectl, image: str) -> None:
    kubectl("apply", "-f", "-", text=manifests("web", image))
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    with running(kubectl, "get", "pods", "-w", "--no-headers") as watching:
        line_with(watching, "Running")
        kubectl("scale", "deployment/web", "--replicas=2")
        line_with(watching, "Pending|ContainerCreating")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(kubectl, "port-forward", "service/web", f"{port}:80") as forwarding:
        line_with(forwarding, "Forwarding from 127.0.0.1")
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/cgi-bin/answer", timeout=10) as answer:
                assert b"version 1" in answer.read()
    kubectl("set", "image", "deployment/web", "web=hello:2")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert "2" in kubectl("rollout", "history", "deployment/web")
    kubectl("rollout", "undo", "deployment/web")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert "hello:1" in kubectl("get", "deployment", "web", "-o", "wide")
    kubectl("delete", "-f", "-", "--wait=true", text=manifests("web", image))
    eventually(lambda: kubectl("get", "all", "-o", "name") == "")


def test_requests_by_the_api_server(kubectl: Kubectl, image: str) -> None:
    kubectl("apply", "-f", "-", text=manifests("web", image))
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    here = f"/api/v1/namespaces/{words_of(kubectl)[-1]}"
    pod = kubectl("get", "pods", "-o", "jsonpath={.items[0].metadata.name}").strip()
    ready = "jsonpath={.items[*].endpoints[*].conditions.ready}"
    eventually(lambda: "true" in kubectl("get", "endpointslices", "-o", ready))
    assert "version 1" in kubectl("get", "--raw", f"{here}/services/web:80/proxy/cgi-bin/answer")
    assert "version 1" in kubectl("get", "--raw", f"{here}/services/http:web:80/proxy/cgi-bin/answer")
    port = kubectl("get", "endpointslices", "-o", "jsonpath={.items[0].ports[0].port}").strip()
    assert "version 1" in kubectl("get", "--raw", f"{here}/pods/{pod}:{port}/proxy/cgi-bin/answer")
    node = kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}").strip()
    assert kubectl("get", "--raw", f"/api/v1/nodes/{node}/proxy/healthz") == "ok"
    kubectl("delete", "-f", "-", "--wait=true", text=manifests("web", image))


def test_questions(kubectl: Kubectl) -> None:
    assert "deployments" in kubectl("api-resources", "--api-group=apps")
    assert "nodeName" in kubectl("explain", "pod.spec")
    assert kubectl("auth", "can-i", "create", "pods").strip() == "yes"
    assert "Ready" in kubectl("get", "nodes")
    assert "kubelet is posting ready status" in kubectl("describe", "nodes")


def manifests(name: str, image: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [deployment(name, image, 1), service(name)]})


def on_terminal(command: list[str], typed: str, status: int) -> str:
    """What a command shows on a terminal of its own, after something was typed."""
    master, slave = pty.openpty()
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as process:
        os.close(slave)
        os.write(master, typed.encode())
        shown = b""
        while True:
            ready, _, _ = select.select([master], [], [], 30)
            assert ready, shown
            try:
                piece = os.read(master, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        os.close(master)
        assert process.wait(30) == status, shown
    return shown.decode(errors="replace")
