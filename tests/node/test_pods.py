"""What a pod finds inside its containers, and what is told of one that fails, on real containers."""

import json
import secrets
from typing import Any

import pytest

from fakes.application import ask
from fakes.command import Cluster
from pilothouse.cluster.addresses import free_port


@pytest.fixture
def name() -> str:
    return f"t{secrets.token_hex(4)}"


def pod(name: str, image: str, script: str, **spec: Any) -> dict[str, Any]:
    """A pod that runs a script of busybox's shell, once."""
    mounts = spec.pop("mounts", [])
    container = {"name": "c", "image": image, "command": ["/bin/busybox", "sh", "-c", script], "volumeMounts": mounts}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"restartPolicy": "Never", "containers": [container], **spec},
    }


def said(cluster: Cluster, name: str) -> str:
    """All that a pod printed, once it has succeeded."""
    cluster.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{name}", "--timeout=60s")
    return cluster.kubectl("logs", name)


def test_a_container_of_any_user_reads_its_files_and_writes_its_scratch(
    cluster: Cluster, image: str, name: str
) -> None:
    script = """
        set -e
        b=/bin/busybox
        $b cat /files/deep/ca.crt /var/run/secrets/kubernetes.io/serviceaccount/namespace > /scratch/copy
        echo written > /part/file
        $b stat -c '%a %n' / /files /files/..data/deep /made
        $b cat /scratch/a/b/file
    """
    items = [{"key": "ca.crt", "path": "deep/ca.crt"}]
    volumes = [
        {"name": "files", "configMap": {"name": "kube-root-ca.crt", "items": items}},
        {"name": "scratch", "emptyDir": {}},
        {"name": "made", "hostPath": {"path": str(cluster.home.parent / name), "type": "DirectoryOrCreate"}},
    ]  # fmt: skip
    mounts = [
        *({"name": each["name"], "mountPath": f"/{each['name']}"} for each in volumes),
        {"name": "scratch", "mountPath": "/part", "subPath": "a/b"},
    ]
    user = {"runAsUser": 1000, "runAsGroup": 2000}
    cluster.apply(pod(name, image, script, mounts=mounts, volumes=volumes, securityContext=user))
    assert said(cluster, name).splitlines() == ["755 /", "755 /files", "755 /files/..data/deep", "755 /made", "written"]


def test_mounts_of_a_volume_reach_whom_they_are_to(cluster: Cluster, image: str, name: str) -> None:
    await_file = "until /bin/busybox test -e /v/{}; do /bin/busybox sleep 0.1; done; "
    look = (
        "/bin/busybox touch /v/$0; "
        + await_file.format("mounted")
        + "/bin/busybox ls /v/inner; /bin/busybox touch /v/$0-looked"
    )
    scripts = {
        "gives": (
            "Bidirectional",
            await_file.format("takes") + await_file.format("alone")  # who starts later is shown it in any case
            + "b=/bin/busybox; $b mkdir /v/inner; $b mount -t tmpfs t /v/inner; $b touch /v/inner/file /v/mounted; "
            + await_file.format("takes-looked") + await_file.format("alone-looked") + "$b umount /v/inner",
        ),
        "takes": ("HostToContainer", look),
        "alone": ("None", look),
    }  # fmt: skip
    containers = [
        {
            "name": each, "image": image, "command": ["/bin/busybox", "sh", "-c", script, each],
            "volumeMounts": [{"name": "v", "mountPath": "/v", "mountPropagation": propagation}],
            "securityContext": {"privileged": each == "gives"},
        }
        for each, (propagation, script) in scripts.items()
    ]  # fmt: skip
    spec = {"restartPolicy": "Never", "containers": containers, "volumes": [{"name": "v", "emptyDir": {}}]}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
    cluster.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{name}", "--timeout=60s")
    assert cluster.kubectl("logs", name, "-c", "takes") == "file\n"
    assert cluster.kubectl("logs", name, "-c", "alone") == ""
    cluster.kubectl("delete", "pod", name, "--timeout=60s")


def test_a_runtime_class_names_the_runtime(cluster: Cluster, image: str, name: str) -> None:
    assert cluster.get("runtimeclass", "runc")["handler"] == "runc"
    cluster.apply(pod(name, image, "echo runs", runtimeClassName="runc"))
    assert said(cluster, name) == "runs\n"
    refused = cluster.try_kubectl(
        "apply", "-f", "-", text=json.dumps(pod(f"{name}-x", image, "", runtimeClassName="no"))
    )
    assert 'RuntimeClass "no" not found' in refused.stderr


def test_a_host_port_leads_to_the_pod(cluster: Cluster, image: str, name: str) -> None:
    port = free_port(18080)
    container = {"name": "web", "image": image, "ports": [{"containerPort": 8080, "hostPort": port}]}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}})
    cluster.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")
    address = cluster.get("nodes")["items"][0]["status"]["addresses"][0]["address"]
    for host in ("127.0.0.1", address):
        assert name in ask(f"{host}:{port}")
    cluster.kubectl("delete", "pod", name, "--grace-period=1")
    with pytest.raises(OSError):
        ask(f"{address}:{port}")
