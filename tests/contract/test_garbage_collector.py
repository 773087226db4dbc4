"""sig-api-machinery: what becomes of dependents.

Controllers have ten pods, the least that upstream's have. Where upstream waits thirty seconds to see that nothing is
deleted by mistake, here something made later is deleted with its dependents: when these are gone, the collector has
seen all that was before.
"""

import pytest

from contract.api import Api, Items, Json, Objects
from contract.conformance import Checks, conformance
from contract.pods import pause_pod

MADE_SECONDS, RESYNC = 120, 60
"""How long a controller has for its replicas; what the collector may take longer since other tests add kinds."""
BACKGROUND = {"propagationPolicy": "Background"}
ORPHAN = {"propagationPolicy": "Orphan"}
FOREGROUND = {"propagationPolicy": "Foreground"}
LABELS = {"gctest": "owner"}
AT_ONCE = {"terminationGracePeriodSeconds": 0}
TEMPLATE: Json = {"metadata": {"labels": LABELS}, "spec": pause_pod("", spec=AT_ONCE)["spec"]}


@pytest.fixture
def pods(api: Api, namespace: str) -> Objects:
    return api.objects("v1", "Pod", namespace)


@pytest.fixture
def replica_sets(api: Api, namespace: str) -> Objects:
    return api.objects("apps/v1", "ReplicaSet", namespace)


@pytest.fixture
def deployments(api: Api, namespace: str) -> Objects:
    return api.objects("apps/v1", "Deployment", namespace)


@pytest.fixture
def controllers(api: Api, namespace: str) -> Objects:
    """ReplicationControllers."""
    return api.objects("v1", "ReplicationController", namespace)


def _owner(item: Json, kind: str, version: str, **more: object) -> Json:
    return {
        "apiVersion": version,
        "kind": kind,
        "name": item["metadata"]["name"],
        "uid": item["metadata"]["uid"],
        **more,
    }


def _precisely(item: Json, policy: Json) -> Json:
    return {**policy, "preconditions": {"uid": item["metadata"]["uid"]}}


def _collector_is_past(api: Api, namespace: str) -> None:
    """Return when the collector has dealt with all that happened until now."""
    configmaps = api.objects("v1", "ConfigMap", namespace)
    owner = configmaps.create({"metadata": {"name": "sentinel-owner"}})
    reference = _owner(owner, "ConfigMap", "v1")
    configmaps.create({"metadata": {"name": "sentinel", "ownerReferences": [reference]}})
    configmaps.delete("sentinel-owner", **BACKGROUND)
    configmaps.until_gone("sentinel", 60)


def _deployment(deployments: Objects, replica_sets: Objects) -> Json:
    strategy = {"type": "RollingUpdate"}
    spec = {"replicas": 2, "selector": {"matchLabels": LABELS}, "strategy": strategy, "template": TEMPLATE}
    made = deployments.create({"metadata": {"name": "simpletest.deployment"}, "spec": spec})
    replica_sets.until(lambda items: items, 60)
    return made


def _is_whole(replica_set: Json) -> bool:
    """Whether its controller has seen it and made all its pods."""
    status, generation = replica_set.get("status", {}), replica_set["metadata"]["generation"]
    return bool(
        status.get("observedGeneration", 0) >= generation and status.get("replicas") == replica_set["spec"]["replicas"]
    )


@conformance("Garbage collector should delete RS created by deployment when not orphaning")
def test_a_deployments_replica_sets_go(
    deployments: Objects, replica_sets: Objects, pods: Objects, check: Checks
) -> None:
    made = _deployment(deployments, replica_sets)
    check("created", True)
    deployments.delete("simpletest.deployment", **_precisely(made, BACKGROUND))
    for objects in (deployments, replica_sets, pods):
        objects.until(lambda items: not items, 60 + RESYNC)
    check("collected", True)


@conformance("Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan")
def test_a_deployments_replica_sets_stay(
    api: Api, namespace: str, deployments: Objects, replica_sets: Objects, pods: Objects, check: Checks
) -> None:
    made = _deployment(deployments, replica_sets)
    check("created", True)
    replica_sets.until(lambda items: all(map(_is_whole, items.values())), 60)
    check("replicated", True)
    deployments.delete("simpletest.deployment", **_precisely(made, ORPHAN))
    deployments.until(lambda items: not items, 60 + RESYNC)
    for look in range(2):
        check("deployment-gone", deployments.items(), [])
        left = replica_sets.items()
        check("replica-set-stays", len(left), 1)
        check("pods-stay", len(pods.items()), 2)
        check("no-owner", [item for item in left if item["metadata"].get("ownerReferences")], [])
        if look == 0:
            _collector_is_past(api, namespace)


@conformance("Garbage collector should not be blocked by dependency circle")
def test_a_circle_of_owners(pods: Objects, check: Checks) -> None:
    made = [pods.create(pause_pod(f"pod{number}", spec=AT_ONCE)) for number in (1, 2, 3)]
    for number, pod in enumerate(made):
        owner = _owner(made[number - 1], "Pod", "v1", controller=True, blockOwnerDeletion=True)
        patch = {"metadata": {"ownerReferences": [owner]}}
        after = pods.patch(pod["metadata"]["name"], patch, "application/strategic-merge-patch+json")
        check("owned", len(after["metadata"]["ownerReferences"]), 1)
    pods.delete("pod1", **_precisely(made[0], FOREGROUND))
    pods.until(lambda items: not items, 90 + RESYNC)
    check("all-gone", True)


def _controller(controllers: Objects, name: str, replicas: int) -> Json:
    labels = {"gctest": name.replace(".", "-")}
    template = {**TEMPLATE, "metadata": {"labels": labels}}
    return controllers.create(
        {"metadata": {"name": name}, "spec": {"replicas": replicas, "selector": labels, "template": template}}
    )


def _until_replicated(controllers: Objects, name: str) -> None:
    """Return when the controller has as many pods as it wants."""

    def reached(items: Items) -> bool:
        return bool(items[name].get("status", {}).get("replicas") == items[name]["spec"]["replicas"])

    controllers.until(reached, MADE_SECONDS, field=f"metadata.name={name}")


@conformance("Garbage collector should delete pods created by rc when not orphaning")
def test_a_controllers_pods_go(controllers: Objects, pods: Objects, check: Checks) -> None:
    made = _controller(controllers, "simpletest.rc", 2)
    pods.until(lambda items: items, 30)
    check("created", True)
    controllers.delete("simpletest.rc", **_precisely(made, BACKGROUND))
    controllers.until(lambda items: not items, 60 + RESYNC)
    check("controller-gone", True)
    pods.until(lambda items: not items, 60 + RESYNC)
    check("collected", True)


@conformance("Garbage collector should orphan pods created by rc if delete options say so")
def test_a_controllers_pods_stay(api: Api, namespace: str, controllers: Objects, pods: Objects, check: Checks) -> None:
    made = _controller(controllers, "simpletest.rc", 10)
    _until_replicated(controllers, "simpletest.rc")
    check("created", True)
    controllers.delete("simpletest.rc", **_precisely(made, ORPHAN))
    controllers.until(lambda items: not items, 120 + RESYNC)
    check("controller-gone", True)
    _collector_is_past(api, namespace)
    check("pods-stay", len(pods.items()), 10)


@conformance("Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so")
def test_a_controller_goes_last(controllers: Objects, pods: Objects, check: Checks) -> None:
    made = _controller(controllers, "simpletest.rc", 10)
    _until_replicated(controllers, "simpletest.rc")
    check("created", True)
    answer = controllers.delete("simpletest.rc", **_precisely(made, FOREGROUND))
    check("waits", answer["metadata"].get("finalizers"), ["foregroundDeletion"])
    check("waits", answer["metadata"].get("deletionTimestamp"))
    controllers.until_gone("simpletest.rc", 30 + RESYNC)
    check("gone", True)
    check("pods-first", pods.items(), [])


@conformance(
    "Garbage collector should not delete dependents that have both valid owner and owner that's waiting for"
    " dependents to be deleted"
)
def test_a_dependent_with_another_owner_stays(
    api: Api, namespace: str, controllers: Objects, pods: Objects, check: Checks
) -> None:
    first = _controller(controllers, "simpletest-rc-to-be-deleted", 10)
    second = _controller(controllers, "simpletest-rc-to-stay", 0)
    name = "simpletest-rc-to-be-deleted"
    _until_replicated(controllers, name)
    check("created", True)
    half = pods.names()[:5]
    owner = _owner(second, "ReplicationController", "v1")
    for each in half:
        pods.patch(each, {"metadata": {"ownerReferences": [owner]}}, "application/strategic-merge-patch+json")
    controllers.delete(name, **_precisely(first, FOREGROUND))
    controllers.until_gone(name, 90)
    check("controller-gone", True)
    _collector_is_past(api, namespace)
    left = pods.items()
    check("half-stays", {item["metadata"]["name"] for item in left}, {*half})
    check("not-deleted", [item for item in left if "deletionTimestamp" in item["metadata"]], [])
    owners = {tuple(found["name"] for found in item["metadata"]["ownerReferences"]) for item in left}
    check("one-owner", owners, {("simpletest-rc-to-stay",)})
