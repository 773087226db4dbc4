"""Time to check one Pod of 4.5 KB against its schema; the aim is 30 us. Run: python benchmarks/schema_check.py."""

from time import perf_counter

import orjson

from pilothouse.api.machinery.schema import Schema, Schemas, check

ROUNDS, PODS = 20, 100
PROBE = {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}, "periodSeconds": 10, "timeoutSeconds": 1,
         "successThreshold": 1, "failureThreshold": 3}  # fmt: skip


def container(name: str) -> dict[str, object]:
    return {
        "name": name, "image": f"registry.example.org/team/{name}:1.2.3", "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/server"], "args": ["--listen=0.0.0.0:8080", "--log-level=info"],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [{"name": f"VARIABLE_{n}", "value": f"value number {n}"} for n in range(5)]
        + [{"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}}],
        "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
        "livenessProbe": PROBE, "readinessProbe": PROBE,
        "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}, {"name": "cache", "mountPath": "/var/cache"}],
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "securityContext": {"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}},
    }  # fmt: skip


def condition(kind: str) -> dict[str, object]:
    return {"type": kind, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z", "lastProbeTime": None}


POD: dict[str, object] = {
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {
        "name": "web-7d4b9c6f5d-x2x9p", "generateName": "web-7d4b9c6f5d-", "namespace": "default",
        "uid": "5b1f6a34-5a3e-4e2e-9b7c-0c8c7c1d1f11", "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"app": "web", "pod-template-hash": "7d4b9c6f5d", "tier": "frontend"},
        "annotations": {"example.org/checksum": "0123456789abcdef" * 4},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7d4b9c6f5d",
                             "controller": True, "blockOwnerDeletion": True,
                             "uid": "f1f6a345-5a3e-4e2e-9b7c-0c8c7c1d1f11"}],
    },
    "spec": {
        "containers": [container("web"), container("sidecar")], "restartPolicy": "Always", "dnsPolicy": "ClusterFirst",
        "volumes": [{"name": "config", "configMap": {"name": "web", "defaultMode": 420}},
                    {"name": "cache", "emptyDir": {}}],
        "serviceAccountName": "default", "nodeName": "node-1", "schedulerName": "default-scheduler", "priority": 0,
        "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute",
                         "tolerationSeconds": 300}],
        "terminationGracePeriodSeconds": 30, "enableServiceLinks": True, "securityContext": {},
    },
    "status": {
        "phase": "Running", "podIP": "10.0.0.7", "podIPs": [{"ip": "10.0.0.7"}], "hostIP": "192.168.0.2",
        "qosClass": "Burstable", "startTime": "2026-01-01T00:00:00Z",
        "conditions": [condition(kind) for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")],
    },
}  # fmt: skip


def main() -> None:
    schema = Schemas().kind("", "v1", "Pod")
    body = orjson.dumps(POD)
    findings = check(schema, orjson.loads(body))
    assert not findings.errors, findings.errors
    assert not findings.strict, findings.strict
    ready = orjson.dumps(findings.object)
    print(f"{len(ready)} bytes: {best(schema, ready, {}):.1f} us a check")
    print(f"with an unknown field: {best(schema, ready, {'unknown': 1}):.1f} us")


def best(schema: Schema, body: bytes, more: dict[str, object]) -> float:
    """Microseconds a check in the quietest of the rounds."""
    times = []
    for _ in range(ROUNDS):
        copies = [orjson.loads(body) | more for _ in range(PODS)]
        start = perf_counter()
        for copy in copies:
            check(schema, copy)
        times.append((perf_counter() - start) / PODS)
    return min(times) * 1e6


if __name__ == "__main__":
    main()
