"""Managed fields: CPU of recording a pod's creation and its status updates, cold (new shape) and warm (known shape)."""

import time
from pathlib import Path
from typing import Any

import orjson

from pilothouse.api.machinery.managed_fields import record_write, walk
from pilothouse.api.machinery.schema import Schemas

NOW = "2030-01-01T00:00:00Z"
PODS = 2000
PROBE = {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10, "timeoutSeconds": 1}


def pod(number: int) -> dict[str, Any]:
    """A pod as a ReplicaSet makes it, about 3 KB."""
    container = {
        "name": "web", "image": "registry.example/web:1", "imagePullPolicy": "IfNotPresent",
        "env": [{"name": f"VARIABLE_{n}", "value": str(n)} for n in range(8)],
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}, {"containerPort": 9, "protocol": "UDP"}],
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "64Mi"}},
        "livenessProbe": PROBE, "readinessProbe": PROBE, "terminationMessagePath": "/dev/termination-log",
        "volumeMounts": [{"mountPath": "/data", "name": "data"}, {"mountPath": "/etc/web", "name": "config"}],
    }  # fmt: skip
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": f"web-{number}", "generateName": "web-", "namespace": "default", "uid": str(number),
            "labels": {"app": "web", "pod-template-hash": "abcdef"}, "annotations": {"a": "1"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "r"}],
        },
        "spec": {
            "containers": [container, {**container, "name": "sidecar"}], "dnsPolicy": "ClusterFirst",
            "restartPolicy": "Always", "schedulerName": "default-scheduler", "securityContext": {},
            "serviceAccountName": "default", "terminationGracePeriodSeconds": 30,
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}],
            "volumes": [{"name": "data", "emptyDir": {}}, {"name": "config", "configMap": {"name": "web"}}],
        },
        "status": {"phase": "Pending"},
    }  # fmt: skip


def running(made: dict[str, Any], second: int) -> dict[str, Any]:
    """The pod with a status as the kubelet writes it."""
    stamp = f"2030-01-01T00:00:{second:02d}Z"
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": stamp}
        for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    status = {"phase": "Running", "conditions": conditions, "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]}
    copied = orjson.loads(orjson.dumps(made))
    return {**copied, "status": status}


def main() -> None:
    """Measure and print."""
    schema = Schemas().kind("", "v1", "Pod")
    pods = [pod(number) for number in range(PODS)]
    print(f"a pod of {len(orjson.dumps(pods[0]))} bytes")

    def record(new: dict[str, Any], old: dict[str, Any] | None, subresource: str = "") -> None:
        record_write(new, old, schema=schema, manager="m", api_version="v1", subresource=subresource, now=NOW)

    def measure(name: str, writes: list[tuple[dict[str, Any], dict[str, Any] | None, str]]) -> None:
        start = time.process_time()
        for new, old, subresource in writes:
            record(new, old, subresource)
        print(f"{name:32} {(time.process_time() - start) / len(writes) * 1e6:8.1f} us")

    measure("create, the very first", [(pods[0], None, "")])
    cold = []
    for number in range(200):
        other = pod(number)
        other["spec"]["containers"][0]["name"] = f"web-{number}"
        cold.append((other, None, ""))
    measure("create, cold (new shape)", cold)  # type: ignore[arg-type]
    measure("create, warm (known shape)", [(new, None, "") for new in pods[1:]])
    first = [(running(old, 1), old, "status") for old in pods]
    measure("status, first", first)  # type: ignore[arg-type]
    measure("status, again", [(running(old, 2), old, "status") for old, _, _ in first])
    same = [(orjson.loads(orjson.dumps(old)), old, "") for old in pods]
    measure("update without a change", same)  # type: ignore[arg-type]


if __name__ == "__main__":
    print(f"{Path(walk.__file__).parent.name}: CPU a write")
    main()
