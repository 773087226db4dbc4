"""kill -9 of any process, containerd too, while an application serves: it serves on, and the cluster mends itself."""

import json
import os
import secrets
import signal
from datetime import datetime

import pytest

from fakes.application import Visitor, deployment, service
from fakes.command import Cluster, eventually
from pilothouse.runtime.clock import SystemClock


@pytest.fixture(scope="module")
def name(cluster: Cluster, image: str) -> str:
    name = f"t{secrets.token_hex(4)}"
    cluster.apply(deployment(name, image, 3), service(name))
    cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=60s")
    # As upstream's, a kubelet that comes back asks containers anew that began within ten seconds before it.
    eventually(lambda: age(cluster, name) > 11)
    return name


def age(cluster: Cluster, name: str) -> float:
    """How many seconds ago the youngest of the containers began."""
    began = [
        datetime.fromisoformat(pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"])
        for pod in cluster.get("pods", "-l", f"app={name}")["items"]
    ]
    return SystemClock().now() - max(began).timestamp()


def containers(cluster: Cluster, name: str) -> dict[str, str]:
    """The running container of each Ready pod that stays: one that is going may be Ready for a while yet."""
    found = cluster.get("pods", "-l", f"app={name}")["items"]
    return {
        pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["containerID"]
        for pod in found
        if "deletionTimestamp" not in pod["metadata"]
        and pod["status"].get("containerStatuses")
        and pod["status"]["containerStatuses"][0]["ready"]
    }


def pid_of(cluster: Cluster, role: str) -> int:
    if role == "containerd":
        return int(json.loads((cluster.home / "node" / "run" / "containerd.json").read_text())["pid"])
    return cluster.pids().get(role, 0)


@pytest.mark.parametrize(
    "role", ["apiserver", "control", "node", "proxy", "dns", "watcher", "supervisor", "containerd"]
)
def test_a_killed_process(cluster: Cluster, name: str, role: str) -> None:
    address = str(cluster.get("service", name)["spec"]["clusterIP"])
    before, roles = containers(cluster, name), set(cluster.pids())
    old = pid_of(cluster, role)
    with Visitor(address) as visitor:
        os.kill(old, signal.SIGKILL)
        eventually(lambda: pid_of(cluster, role) not in (0, old) and set(cluster.pids()) == roles, f"{role} is back")
        assert containers(cluster, name) == before
        # What the killed process does, works again: a change goes all the way to new containers.
        cluster.kubectl("scale", f"deployment/{name}", "--replicas=4")
        cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=90s")
        cluster.kubectl("scale", f"deployment/{name}", "--replicas=3")
        eventually(lambda: len(containers(cluster, name)) == 3)
    assert visitor.failures == []
    assert visitor.answers


def test_a_pod_deleted_while_the_node_is_dead_ends_when_it_is_back(cluster: Cluster, image: str) -> None:
    name = f"t{secrets.token_hex(4)}"
    cluster.apply(deployment(name, image, 1))
    cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=60s")
    os.kill(pid_of(cluster, "node"), signal.SIGKILL)
    cluster.kubectl("delete", f"deployment/{name}", "--wait=false")
    eventually(lambda: not cluster.get("pods", "-l", f"app={name}")["items"])


def test_up_finds_the_pods_of_a_cluster_whose_processes_were_all_killed(cluster: Cluster, name: str) -> None:
    before, roles = containers(cluster, name), set(cluster.pids())
    # The watcher first, then the supervisor, so that nobody is left to start anything again.
    for role in ("watcher", "supervisor", *sorted(roles - {"watcher", "supervisor"})):
        os.kill(cluster.pids()[role], signal.SIGKILL)
    up = cluster.run("up")
    assert up.returncode == 0, up.stderr
    assert set(cluster.pids()) == roles
    assert containers(cluster, name) == before
    cluster.kubectl("rollout", "restart", f"deployment/{name}")
    cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=90s")
