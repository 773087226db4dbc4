"""Pods, what makes them and what leads to them, as far as the API and its controllers go."""

import json
from typing import Any

import pytest

from contract.api import MERGE, STRATEGIC, Api, Json, Objects, Refused, eventually
from contract.conformance import Checks, conformance
from contract.pods import START_SECONDS, pause_pod, until_ready, until_running

SECONDS = 60
SCHEDULING_SECONDS = 80
EVENT_SECONDS = 30
"""wait.ForeverTestTimeout of upstream's."""


@pytest.fixture
def pods(api: Api, namespace: str) -> Objects:
    return api.objects("v1", "Pod", namespace)


def _is_forbidden(pods: Objects, runtime_class: str) -> bool:
    """Whether a pod that asks for the class would be refused."""
    try:
        pods.create(pause_pod("test", spec={"runtimeClassName": runtime_class}), dry_run="All")
    except Refused as refused:
        return refused.reason == "Forbidden"
    return False


@conformance("RuntimeClass should reject a Pod requesting a non-existent RuntimeClass")
def test_no_such_runtime_class(pods: Objects, namespace: str, check: Checks) -> None:
    check("forbidden", _is_forbidden(pods, f"{namespace}-nonexistent"))


@conformance("RuntimeClass should reject a Pod requesting a deleted RuntimeClass")
def test_deleted_runtime_class(api: Api, pods: Objects, check: Checks, unique: str) -> None:
    classes = api.objects("node.k8s.io/v1", "RuntimeClass")
    classes.create({"metadata": {"name": unique}, "handler": "runc"})
    classes.delete(unique)
    classes.until_gone(unique, SECONDS)
    check("gone", True)
    eventually(lambda: _is_forbidden(pods, unique), START_SECONDS, 1)
    check("forbidden", True)


def _scheduled(api: Api, pods: Objects, name: str, **more: Any) -> Json:
    """A pod of a class of that name, once it is bound to a node; the only one of the namespace."""
    classes = api.objects("node.k8s.io/v1", "RuntimeClass")
    classes.create({"metadata": {"name": name}, "handler": "test-handler", **more})
    try:
        pods.create(pause_pod("test", spec={"runtimeClassName": name, "automountServiceAccountToken": False}))
        (found,) = pods.until(lambda items: items["test"]["spec"].get("nodeName"), SCHEDULING_SECONDS).values()
        return found
    finally:
        classes.delete(name)


@conformance("RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead")
def test_runtime_class_without_overhead(api: Api, pods: Objects, check: Checks, unique: str) -> None:
    found = _scheduled(api, pods, unique)
    check("scheduled", found["metadata"]["name"], "test")
    check("no-overhead", found["spec"].get("overhead", {}), {})


@conformance("RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead")
def test_runtime_class_with_overhead(api: Api, pods: Objects, check: Checks, unique: str) -> None:
    overhead = {"cpu": "10m", "memory": "1Mi"}
    found = _scheduled(api, pods, unique, overhead={"podFixed": overhead})
    check("scheduled", found["metadata"]["name"], "test")
    check("overhead", found["spec"]["overhead"], overhead)


@conformance("Sysctls should reject invalid sysctls")
def test_invalid_sysctls(pods: Objects, check: Checks) -> None:
    invalid, valid = ("foo-", "bar.."), ("kernel.shmmax", "safe-and-unsafe")
    sysctls = [{"name": name, "value": "42"} for name in (*invalid, *valid)]
    with pytest.raises(Refused) as refused:
        pods.create(pause_pod("test", spec={"securityContext": {"sysctls": sysctls}, "restartPolicy": "Never"}))
    message = refused.value.status["message"]
    check("named", all(f'Invalid value: "{name}"' in message for name in invalid))
    check("others-are-not", not any(name in message for name in valid))


@conformance("ServiceAccounts should allow opting out of API token automount")
def test_token_is_not_mounted(api: Api, pods: Objects, namespace: str, check: Checks) -> None:
    accounts = api.objects("v1", "ServiceAccount", namespace)
    said = {"default": None, "mount": True, "nomount": False}
    for name in ("mount", "nomount"):
        accounts.create({"metadata": {"name": name}, "automountServiceAccountToken": said[name]})

    def is_mounted(account: str, wish: bool | None) -> bool:
        spec: Json = {"serviceAccountName": account, "restartPolicy": "Never", "automountServiceAccountToken": wish}
        body = {"metadata": {"generateName": "pod-"}, "spec": {**pause_pod("")["spec"], **spec}}
        mounts = pods.create(body)["spec"]["containers"][0].get("volumeMounts", [])
        return "/var/run/secrets/kubernetes.io/serviceaccount" in [mount["mountPath"] for mount in mounts]

    check(
        "account", {name: is_mounted(name, None) for name in said}, {"default": True, "mount": True, "nomount": False}
    )
    check("opted-in", [is_mounted(name, True) for name in said], [True] * 3)
    check("opted-out", [is_mounted(name, False) for name in said], [False] * 3)


@conformance(
    "Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory"
    " and cpu"
)
def test_quality_of_service(pods: Objects, check: Checks) -> None:
    amounts = {"cpu": "100m", "memory": "100Mi"}
    pods.create(pause_pod("test", resources={"requests": amounts, "limits": amounts}))
    check("guaranteed", pods.get("test")["status"]["qosClass"], "Guaranteed")


@conformance("Pods should delete a collection of pods")
def test_a_collection_of_pods(pods: Objects, check: Checks) -> None:
    for number in (1, 2, 3):
        spec = {"terminationGracePeriodSeconds": 1, "restartPolicy": "Never"}
        pods.create(pause_pod(f"test-pod-{number}", spec=spec, labels={"type": "Testing"}))
    for number in (1, 2, 3):
        until_ready(pods, f"test-pod-{number}")
    check("running", len(pods.items(label="type=Testing")), 3)
    pods.delete_all(label="type=Testing", gracePeriodSeconds=1)
    pods.until(lambda items: not items, 300, label="type=Testing")
    check("gone", True)


@conformance("Pods should patch a pod status")
def test_pod_status(pods: Objects, check: Checks) -> None:
    pods.create(pause_pod("test"))
    until_running(pods, "test")
    check("running", True)
    annotations, words = {"patchedstatus": "true"}, {"message": "Patched by e2e test", "reason": "E2E"}
    status = pods.patch("test", {"metadata": {"annotations": annotations}, "status": words}, MERGE, "status")["status"]
    check("patched", (status["message"], status["reason"]), ("Patched by e2e test", "E2E"))


def _scaled(api: Api, check: Checks, objects: Objects, kind: str) -> None:
    labels = {"app": "scaled"}
    template = {"metadata": {"labels": labels}, "spec": pause_pod("")["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    made = objects.create({"metadata": {"name": "test"}, "spec": spec})
    check("kind", made["kind"], kind)
    objects.until(lambda items: items["test"].get("status", {}).get("availableReplicas") == 1, 300)
    check("ready", True)
    scale = objects.get("test", "scale")
    check("scale", (scale["spec"]["replicas"], scale["status"]["replicas"]), (1, 1))
    scale["metadata"].pop("resourceVersion")  # whoever counts pods may write meanwhile
    scale["spec"]["replicas"] = 2
    answer = json.loads(api.send("PUT", objects.path("test", "scale"), scale))
    check("updated", answer["spec"]["replicas"], 2)
    check("spec", objects.get("test")["spec"]["replicas"], 2)
    objects.patch("test", {"spec": {"replicas": 4}}, STRATEGIC, "scale")
    check("patched", objects.get("test")["spec"]["replicas"], 4)


@conformance("ReplicaSet Replicaset should have a working scale subresource")
def test_scale_of_a_replica_set(api: Api, namespace: str, check: Checks) -> None:
    _scaled(api, check, api.objects("apps/v1", "ReplicaSet", namespace), "ReplicaSet")


@conformance("Deployment Deployment should have a working scale subresource")
def test_scale_of_a_deployment(api: Api, namespace: str, check: Checks) -> None:
    _scaled(api, check, api.objects("apps/v1", "Deployment", namespace), "Deployment")


def _service(api: Api, namespace: str) -> Objects:
    services = api.objects("v1", "Service", namespace)
    port = {"name": "example", "port": 80, "protocol": "TCP"}
    spec = {"selector": {"does-not-match-anything": "endpoints-and-endpoint-slices-should-still-be-created"}}
    services.create({"metadata": {"name": "example-empty-selector"}, "spec": {**spec, "ports": [port]}})
    return services


@conformance("EndpointSlice should create and delete EndpointSlices for a Service with a selector that matches no pods")
def test_slices_without_pods(api: Api, namespace: str, check: Checks) -> None:
    services = _service(api, namespace)
    slices, selector = api.objects("discovery.k8s.io/v1", "EndpointSlice", namespace), "kubernetes.io/service-name"
    label = f"{selector}=example-empty-selector"
    (found, *_) = slices.until(lambda items: items, EVENT_SECONDS, label=label).values()
    managed = found["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"]
    check("managed-by", managed, "endpointslice-controller.k8s.io")
    check("empty", found["endpoints"] or [], [])
    services.delete("example-empty-selector")
    slices.until(lambda items: not items, 90, label=label)
    check("gone", True)


@conformance(
    "EndpointsController should create and delete Endpoints for a Service with a selector that matches no pods"
)
def test_endpoints_without_pods(api: Api, namespace: str, check: Checks) -> None:
    services = _service(api, namespace)
    endpoints = api.objects("v1", "Endpoints", namespace)
    found = endpoints.until(lambda items: "example-empty-selector" in items, EVENT_SECONDS)
    check("empty", found["example-empty-selector"].get("subsets") or [], [])
    services.delete("example-empty-selector")
    endpoints.until_gone("example-empty-selector", EVENT_SECONDS)
    check("gone", True)


@conformance("EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete")
def test_mirrored_endpoints(api: Api, namespace: str, check: Checks) -> None:
    ports = [{"name": "example", "port": 80, "protocol": "TCP"}]
    body: Json = {"metadata": {"name": "example-custom-endpoints"}, "spec": {"ports": ports}}
    api.objects("v1", "Service", namespace).create(body)
    endpoints = api.objects("v1", "Endpoints", namespace)
    slices = api.objects("discovery.k8s.io/v1", "EndpointSlice", namespace)
    label = "kubernetes.io/service-name=example-custom-endpoints"

    def mirrored(address: str) -> bool:
        def reached(items: dict[str, Json]) -> bool:
            found = [(item["ports"][0]["port"], item["endpoints"][0]["addresses"]) for item in items.values()]
            return found == [(80, [address])]

        return bool(slices.until(reached, 12, label=label))

    whole: Json = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "example-custom-endpoints"}}
    whole["subsets"] = [{"ports": [{"port": 80}], "addresses": [{"ip": "10.1.2.3"}]}]
    endpoints.create(whole)
    check("created", mirrored("10.1.2.3"))
    whole["subsets"][0]["addresses"] = [{"ip": "10.2.3.4"}]
    endpoints.update(whole)
    check("updated", mirrored("10.2.3.4"))
    endpoints.delete("example-custom-endpoints")
    slices.until(lambda items: not items, 12, label=label)
    check("deleted", True)
