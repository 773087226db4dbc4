"""sig-api-machinery: ResourceQuotas, as objects and at work."""

import base64
from typing import Any

import pytest

from contract.api import STRATEGIC, Api, Items, Json, Objects, Refused
from contract.conformance import Checks, conformance
from contract.pods import pause_pod

SECONDS, EVENT_SECONDS = 60, 120
GOLD = "gold.storageclass.storage.k8s.io"
NOWHERE = {"nodeSelector": {"x-test.k8s.io/unsatisfiable": "not-schedulable"}}
"""Pods that are counted alone."""
DONGLE = "example.com/dongle"
HARD = {
    "pods": "5", "services": "10", "services.nodeports": "1", "services.loadbalancers": "1", "cpu": "1",
    "replicationcontrollers": "10", "resourcequotas": "1", "memory": "500Mi", "configmaps": "10", "secrets": "10",
    "persistentvolumeclaims": "10", "requests.storage": "10Gi", "ephemeral-storage": "50Gi",
    "count/replicasets.apps": "5", f"requests.{DONGLE}": "3", f"{GOLD}/persistentvolumeclaims": "10",
    f"{GOLD}/requests.storage": "10Gi",
}  # fmt: skip
SCOPED = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
NOW: Json = {"gracePeriodSeconds": 0}
ALLOWED = ({"cpu": "500m", "memory": "500Mi"}, {"cpu": "1", "memory": "1Gi"}, {"cpu": "2", "memory": "2Gi"})


@pytest.fixture
def quotas(api: Api, namespace: str) -> Objects:
    return api.objects("v1", "ResourceQuota", namespace)


@pytest.fixture
def pods(api: Api, namespace: str) -> Objects:
    return api.objects("v1", "Pod", namespace)


def _make(quotas: Objects, name: str, hard: Json, **more: Any) -> Json:
    metadata = {"name": name, **more.pop("metadata", {})}
    return quotas.create({"metadata": metadata, "spec": {"hard": hard, **more}})


def _counted(quotas: Objects, name: str, used: dict[str, str]) -> bool:
    """Whether the status says in time what is allowed and what is used."""

    def reached(items: Items) -> bool:
        status = items[name].get("status", {})
        found = status.get("used", {})
        return bool(status.get("hard") == items[name]["spec"]["hard"]) and used.items() <= found.items()

    quotas.until(reached, SECONDS, field=f"metadata.name={name}")
    return True


def _is_refused(objects: Objects, body: Json) -> bool:
    try:
        objects.create(body)
    except Refused as error:
        return error.code == 403
    return False


@conformance("ResourceQuota should be able to update and delete ResourceQuota.")
def test_update_and_delete(quotas: Objects, check: Checks) -> None:
    _make(quotas, "test-quota", {"cpu": "1", "memory": "500Mi"})
    check("made", quotas.get("test-quota")["spec"]["hard"], {"cpu": "1", "memory": "500Mi"})
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "test-quota"}}
    after = quotas.update({**body, "spec": {"hard": {"cpu": "2", "memory": "1Gi"}}})
    check("updated", after["spec"]["hard"], {"cpu": "2", "memory": "1Gi"})
    check("read", quotas.get("test-quota")["spec"]["hard"], {"cpu": "2", "memory": "1Gi"})
    quotas.delete("test-quota")
    check("gone", not quotas.exists("test-quota"))


@conformance("ResourceQuota should manage the lifecycle of a ResourceQuota")
def test_lifecycle(quotas: Objects, check: Checks, unique: str) -> None:
    selector = f"e2e-rq-label={unique}"
    _make(quotas, unique, {"cpu": "1", "memory": "500Mi"}, metadata={"labels": {"e2e-rq-label": unique}})
    check("made", quotas.get(unique)["spec"]["hard"], {"cpu": "1", "memory": "500Mi"})
    check("listed-everywhere", len(quotas.everywhere().items(label=selector)), 1)
    patch = {"metadata": {"labels": {unique: "patched"}}, "spec": {"hard": {"memory": "750Mi"}}}
    after = quotas.patch(unique, patch, STRATEGIC)
    check("label", after["metadata"]["labels"][unique], "patched")
    check("patched", after["spec"]["hard"]["memory"], "750Mi")
    quotas.delete_all(label=selector)
    check("gone", not quotas.exists(unique))


@conformance("ResourceQuota should apply changes to a resourcequota status")
def test_status(quotas: Objects, check: Checks, unique: str) -> None:
    selector = f"e2e-rq-label={unique}"

    def now() -> str:
        return str(quotas.everywhere().all(label=selector)["metadata"]["resourceVersion"])

    def sees(hard: Json, since: str) -> Any:
        with quotas.watch(label=selector, since=since, seconds=EVENT_SECONDS) as changes:
            return changes.first(lambda event: event["object"].get("status", {}).get("hard") == hard)

    first, second, third = ALLOWED
    begin = now()
    _make(quotas, unique, first, metadata={"labels": {"e2e-rq-label": unique}})
    check("made", quotas.get(unique)["spec"]["hard"], first)
    quotas.change(unique, lambda item: item.update(status={"hard": first}), "status")
    check("updated", sees(first, begin))
    begin = now()
    quotas.patch(unique, {"spec": {"hard": second}}, STRATEGIC)
    quotas.patch(unique, {"status": {"hard": second}}, STRATEGIC, "status")
    check("patched", sees(second, begin))
    check("status-read", quotas.get(unique, "status")["status"]["hard"], second)
    begin = now()
    after = quotas.patch(unique, {"status": {"hard": third}}, STRATEGIC, "status")
    check("patched-again", after["status"]["hard"], third)
    check("seen-again", sees(third, begin))
    quotas.until(lambda items: items[unique]["status"].get("hard") == second, 360, label=selector)
    check("reset", True)
    check("spec-unchanged", quotas.get(unique)["spec"]["hard"], second)


@conformance("ResourceQuota should create a ResourceQuota and ensure its status is promptly calculated.")
def test_status_is_calculated(quotas: Objects, check: Checks) -> None:
    _make(quotas, "test-quota", HARD)
    check("calculated", _counted(quotas, "test-quota", {"resourcequotas": "1"}))


def _life(
    quotas: Objects, check: Checks, objects: Objects, body: Json, resource: str, before: int, **options: str
) -> None:
    """A quota counts an object from its creation to its end, besides those that were there before."""
    just_enough = {resource: str(before + 1)} if resource in ("configmaps", "secrets") else {}
    _make(quotas, "test-quota", {**HARD, **just_enough})
    check("calculated", _counted(quotas, "test-quota", {"resourcequotas": "1", resource: str(before)}))
    name = objects.create(body)["metadata"]["name"]
    check("captured", _counted(quotas, "test-quota", {"resourcequotas": "1", resource: str(before + 1)}))
    objects.delete(name, **options)
    check("released", _counted(quotas, "test-quota", {"resourcequotas": "1", resource: str(before)}))


@conformance("ResourceQuota should create a ResourceQuota and capture the life of a configMap.")
def test_life_of_a_configmap(api: Api, namespace: str, quotas: Objects, check: Checks) -> None:
    objects = api.objects("v1", "ConfigMap", namespace)
    objects.until(lambda items: "kube-root-ca.crt" in items, SECONDS)
    body = {"metadata": {"name": "test-configmap"}, "data": {"a": "b"}}
    _life(quotas, check, objects, body, "configmaps", len(objects.items()))


@conformance("ResourceQuota should create a ResourceQuota and capture the life of a secret.")
def test_life_of_a_secret(api: Api, namespace: str, quotas: Objects, check: Checks) -> None:
    objects = api.objects("v1", "Secret", namespace)
    data = {f"data-{n}": base64.b64encode(f"value-{n}\n".encode()).decode() for n in (1, 2, 3)}
    body = {"metadata": {"name": "test-secret"}, "data": data}
    _life(quotas, check, objects, body, "secrets", len(objects.items()))


def _set(name: str, **more: Any) -> Json:
    labels = {"name": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": name, "image": "nginx"}], **more}}
    return {"metadata": {"name": name}, "spec": {"replicas": 0, "selector": labels, "template": template}}


@conformance("ResourceQuota should create a ResourceQuota and capture the life of a replica set.")
def test_life_of_a_replica_set(api: Api, namespace: str, quotas: Objects, check: Checks) -> None:
    objects = api.objects("apps/v1", "ReplicaSet", namespace)
    body = _set("test-rs", terminationGracePeriodSeconds=0)
    body["spec"]["selector"] = {"matchLabels": body["spec"]["selector"]}
    _life(quotas, check, objects, body, "count/replicasets.apps", 0)


@conformance("ResourceQuota should create a ResourceQuota and capture the life of a replication controller.")
def test_life_of_a_replication_controller(api: Api, namespace: str, quotas: Objects, check: Checks) -> None:
    objects = api.objects("v1", "ReplicationController", namespace)
    background = {"propagationPolicy": "Background"}
    _life(quotas, check, objects, _set("test-rc"), "replicationcontrollers", 0, **background)


@conformance("ResourceQuota should create a ResourceQuota and capture the life of a service.")
def test_life_of_a_service(api: Api, namespace: str, quotas: Objects, check: Checks) -> None:
    services = api.objects("v1", "Service", namespace)

    def service(name: str, kind: str, **more: bool) -> Json:
        return {"metadata": {"name": name}, "spec": {"type": kind, "ports": [{"port": 80, "targetPort": 80}], **more}}

    _make(quotas, "test-quota", HARD)
    check("calculated", _counted(quotas, "test-quota", {"resourcequotas": "1"}))
    services.create(service("test-service", "ClusterIP"))
    services.create(service("test-service-np", "NodePort"))
    balanced = service("test-service-lb", "LoadBalancer", allocateLoadBalancerNodePorts=True)
    check("refused", _is_refused(services, balanced))
    used = {"resourcequotas": "1", "services": "2", "services.nodeports": "1"}
    check("captured", _counted(quotas, "test-quota", used))
    services.delete("test-service")
    services.delete("test-service-np")
    check("released", _counted(quotas, "test-quota", {**used, "services": "0", "services.nodeports": "0"}))


@conformance("ResourceQuota should create a ResourceQuota and capture the life of a pod.")
def test_life_of_a_pod(quotas: Objects, pods: Objects, check: Checks) -> None:
    _make(quotas, "test-quota", HARD)
    check("calculated", _counted(quotas, "test-quota", {"resourcequotas": "1"}))
    requests = {"cpu": "500m", "memory": "252Mi", "ephemeral-storage": "30Gi", DONGLE: "2"}
    resources = {"requests": requests, "limits": {DONGLE: "2"}}
    made = pods.create(pause_pod("test-pod", resources=resources, spec=NOWHERE))
    used = {"pods": "1", **{f"requests.{name}" if name == DONGLE else name: value for name, value in requests.items()}}
    check("captured", _counted(quotas, "test-quota", used | {"resourcequotas": "1"}))
    too_much = {"requests": {"cpu": "600m", "memory": "100Mi"}}
    check("refused", _is_refused(pods, pause_pod("fail-pod", resources=too_much, spec=NOWHERE)))
    extended = {"requests": {**requests, "memory": "100Mi"}, "limits": {DONGLE: "2"}}
    refused = pause_pod("fail-pod-for-extended-resource", resources=extended, spec=NOWHERE)
    check("refused-extended", _is_refused(pods, refused))
    less = {"cpu": "100m", "memory": "100Mi", "ephemeral-storage": "10Gi"}
    made["spec"]["containers"][0]["resources"]["requests"] = less
    with pytest.raises(Refused):
        pods.update(made)
    check("not-updated", True)
    check("unchanged", _counted(quotas, "test-quota", used | {"resourcequotas": "1"}))
    pods.delete("test-pod", **NOW)
    check("released", _counted(quotas, "test-quota", dict.fromkeys(used, "0") | {"resourcequotas": "1"}))


def _scoped_life(
    quotas: Objects, pods: Objects, check: Checks, pod: Json, names: tuple[str, str], used: Json, what: str
) -> None:
    """The first quota counts the pod, the second does not."""
    pods.create(pod)
    check(f"{what}-captured", _counted(quotas, names[0], used))
    check(f"{what}-ignored", _counted(quotas, names[1], dict.fromkeys(used, "0")))
    pods.delete(pod["metadata"]["name"], **NOW)
    check(f"{what}-released", _counted(quotas, names[0], dict.fromkeys(used, "0")))


@conformance("ResourceQuota should verify ResourceQuota with best effort scope.")
def test_best_effort_scope(quotas: Objects, pods: Objects, check: Checks) -> None:
    names = ("quota-besteffort", "quota-not-besteffort")
    for name, scope in zip(names, ("BestEffort", "NotBestEffort"), strict=True):
        _make(quotas, name, {"pods": "5"}, scopes=[scope])
        check("calculated", _counted(quotas, name, {"pods": "0"}))
    pod = pause_pod("pfpod", spec=NOWHERE)
    _scoped_life(quotas, pods, check, pod, names, {"pods": "1"}, "best-effort")
    resources = {"requests": {"cpu": "500m", "memory": "200Mi"}, "limits": {"cpu": "1", "memory": "400Mi"}}
    pod = pause_pod("burstable-pod", resources=resources, spec=NOWHERE)
    _scoped_life(quotas, pods, check, pod, (names[1], names[0]), {"pods": "1"}, "burstable")


@conformance("ResourceQuota should verify ResourceQuota with terminating scopes.")
def test_terminating_scopes(quotas: Objects, pods: Objects, check: Checks) -> None:
    names = ("quota-terminating", "quota-not-terminating")
    hard = {"pods": "5", "requests.cpu": "1", "requests.memory": "500Mi", "limits.cpu": "2", "limits.memory": "1Gi"}
    for name, scope in zip(names, ("Terminating", "NotTerminating"), strict=True):
        _make(quotas, name, hard, scopes=[scope])
        check("calculated", _counted(quotas, name, {"pods": "0"}))
    resources = {"requests": {"cpu": "500m", "memory": "200Mi"}, "limits": {"cpu": "1", "memory": "400Mi"}}
    used = {"pods": "1", **dict(zip(SCOPED, ("500m", "200Mi", "1", "400Mi"), strict=True))}
    pod = pause_pod("test-pod", resources=resources, spec=NOWHERE)
    _scoped_life(quotas, pods, check, pod, (names[1], names[0]), used, "long-running")
    pod = pause_pod("terminating-pod", resources=resources, spec={**NOWHERE, "activeDeadlineSeconds": 3600})
    _scoped_life(quotas, pods, check, pod, names, used, "terminating")
