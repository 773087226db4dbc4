"""From a manifest to an answer behind a Service, on real containers, under names of the test's own."""

import secrets

import pytest

from fakes.application import Visitor, ask, deployment, service
from fakes.command import Cluster, eventually


@pytest.fixture
def name(cluster: Cluster, image: str) -> str:
    """An application that answers."""
    name = f"t{secrets.token_hex(4)}"
    cluster.apply(deployment(name, image), service(name))
    cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=60s")
    return name


def cluster_ip(cluster: Cluster, name: str) -> str:
    return str(cluster.get("service", name)["spec"]["clusterIP"])


def answering(address: str) -> str:
    """The pod that answered."""
    return ask(address).split()[2].rstrip(",")


def pods(cluster: Cluster, name: str) -> list[str]:
    found = cluster.get("pods", "-l", f"app={name}")["items"]
    return sorted(each["metadata"]["name"] for each in found if "deletionTimestamp" not in each["metadata"])


def test_it_is_reached_by_cluster_ip_and_every_pod_answers(cluster: Cluster, name: str) -> None:
    address = cluster_ip(cluster, name)
    eventually(lambda: {answering(address) for _ in range(8)} == set(pods(cluster, name)))


def test_it_is_reached_by_name_from_a_fresh_pod(cluster: Cluster, name: str, image: str) -> None:
    visitor = f"{name}-visitor"
    address = f"http://{name}.default.svc.cluster.local/cgi-bin/answer"
    words = ["/bin/busybox", "wget", "-qO-", address]
    cluster.kubectl("run", visitor, f"--image={image}", "--restart=Never", "--command", "--", *words)
    cluster.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{visitor}", "--timeout=60s")
    assert "version 1" in cluster.kubectl("logs", visitor)


def test_a_deleted_pod_is_replaced(cluster: Cluster, name: str) -> None:
    victim = pods(cluster, name)[0]
    cluster.kubectl("delete", "pod", victim)
    eventually(lambda: victim not in pods(cluster, name) and len(pods(cluster, name)) == 2)
    cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=60s")


def test_a_rolling_update_and_back_without_a_failed_request(cluster: Cluster, name: str) -> None:
    with Visitor(cluster_ip(cluster, name)) as visitor:
        cluster.kubectl("set", "image", f"deployment/{name}", "web=hello:2")
        cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=90s")
        eventually(lambda: len(pods(cluster, name)) == 2)
        assert "version 2" in ask(cluster_ip(cluster, name))
        cluster.kubectl("rollout", "undo", f"deployment/{name}")
        cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=90s")
        eventually(lambda: len(pods(cluster, name)) == 2)
    assert visitor.failures == []
    assert "version 1" in visitor.answers[-1]


def test_what_is_deleted_is_gone(cluster: Cluster, name: str) -> None:
    address = cluster_ip(cluster, name)
    cluster.kubectl("delete", f"deployment/{name}", f"service/{name}")
    eventually(lambda: not cluster.get("pods", "-l", f"app={name}")["items"])
    with pytest.raises(OSError):
        ask(address)
