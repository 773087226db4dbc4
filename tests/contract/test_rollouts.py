"""sig-apps: how a Deployment puts new pods in the place of those there were."""

from typing import Any

import pytest

from contract.api import Api, Items, Json, Objects
from contract.conformance import Checks, conformance
from contract.pods import PAUSE, START_SECONDS

REVISION = "deployment.kubernetes.io/revision"
HTTPD = "registry.k8s.io/e2e-test-images/httpd:2.4.38-4"


@pytest.fixture
def sets(api: Api, namespace: str) -> Objects:
    return api.objects("apps/v1", "ReplicaSet", namespace)


@pytest.fixture
def deployments(api: Api, namespace: str) -> Objects:
    return api.objects("apps/v1", "Deployment", namespace)


def _make(objects: Objects, name: str, labels: Json, container: str, image: str, **more: Any) -> Json:
    """Ask for one pod; `more` goes to the specification, annotations to the metadata."""
    annotations = more.pop("annotations", {})
    pod = {"containers": [{"name": container, "image": image}], "terminationGracePeriodSeconds": 0}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template, **more}
    return objects.create({"metadata": {"name": name, "labels": labels, "annotations": annotations}, "spec": spec})


def _set_before(sets: Objects, name: str, label: str, **more: Any) -> Json:
    """A ReplicaSet that nobody owns, and its pod runs."""
    _make(sets, name, {"name": label, "pod": "httpd"}, "httpd", HTTPD, **more)
    found = sets.until(lambda items: items[name].get("status", {}).get("readyReplicas") == 1, START_SECONDS)
    return found[name]


def _rolled_out(deployments: Objects, name: str) -> Json:
    """The Deployment, once it has all it wants of its last template, and nothing else."""

    def reached(items: Items) -> bool:
        item, wanted = items[name], items[name]["spec"]["replicas"]
        status = item.get("status", {})
        counts = [status.get(count, 0) for count in ("updatedReplicas", "replicas", "availableReplicas")]
        seen = status.get("observedGeneration", 0) >= item["metadata"]["generation"]
        return counts == [wanted] * 3 and bool(seen)

    return deployments.until(reached, START_SECONDS)[name]


def _at_revision(deployments: Objects, sets: Objects, name: str, revision: str, image: str) -> bool:
    """Whether it comes to be of that revision, and a ReplicaSet of its has it with that image."""

    def is_there(items: Items) -> bool:
        return any(
            item["metadata"].get("annotations", {}).get(REVISION) == revision
            and item["spec"]["template"]["spec"]["containers"][0]["image"] == image
            for item in items.values()
        )

    def reached(items: Items) -> bool:
        return bool(items[name]["metadata"].get("annotations", {}).get(REVISION) == revision)

    return bool(deployments.until(reached, START_SECONDS)) and bool(sets.until(is_there, START_SECONDS))


def _old_sets(items: Items, deployment: Json) -> list[str]:
    """The names of its ReplicaSets that are not of its template."""
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    return [
        name
        for name, item in items.items()
        if deployment["metadata"]["uid"] in [owner["uid"] for owner in item["metadata"].get("ownerReferences", [])]
        and item["spec"]["template"]["spec"]["containers"][0]["image"] != image
    ]


@conformance("Deployment RollingUpdateDeployment should delete old pods and create new ones")
def test_rolling_update(deployments: Objects, sets: Objects, check: Checks) -> None:
    before, name = "test-rolling-update-controller", "test-rolling-update-deployment"
    _set_before(sets, before, "sample-pod", annotations={REVISION: "3546343826724305832"})
    check("running", True)
    _make(deployments, name, {"name": "sample-pod"}, "agnhost", PAUSE)
    check("revision", _at_revision(deployments, sets, name, "3546343826724305833", PAUSE))
    made = _rolled_out(deployments, name)
    check("complete", True)
    check("adopted", _old_sets({one["metadata"]["name"]: one for one in sets.items()}, made), [before])


@conformance("Deployment RecreateDeployment should delete old pods and create new ones")
def test_recreation(deployments: Objects, sets: Objects, check: Checks) -> None:
    name = "test-recreate-deployment"
    _make(deployments, name, {"name": "sample-pod-3"}, "agnhost", PAUSE, strategy={"type": "Recreate"})
    check("revision", _at_revision(deployments, sets, name, "1", PAUSE))
    _rolled_out(deployments, name)
    check("complete", True)

    def edit(item: Json) -> None:
        item["spec"]["template"]["spec"]["containers"][0].update(name="httpd", image=HTTPD)

    since = deployments.change(name, edit)["metadata"]["resourceVersion"]
    with deployments.watch(since=since, field=f"metadata.name={name}", seconds=120) as changes:
        for event in changes:
            item = event["object"]
            status, wanted = item.get("status", {}), item["spec"]["replicas"]
            updated, there = status.get("updatedReplicas", 0), status.get("replicas", 0)
            check("not-beside", updated == 0 or updated == there)
            if updated == there == wanted and status["observedGeneration"] >= item["metadata"]["generation"]:
                break
        else:
            raise AssertionError("the watch ended before the Deployment was complete")
    check("recreated", True)


@conformance("Deployment deployment should delete old replica sets")
def test_history(api: Api, namespace: str, deployments: Objects, sets: Objects, check: Checks) -> None:
    pods, name = api.objects("v1", "Pod", namespace), "test-cleanup-deployment"
    _set_before(sets, "test-cleanup-controller", "cleanup-pod")
    check("running", True)
    since = pods.all()["metadata"]["resourceVersion"]
    made = _make(deployments, name, {"name": "cleanup-pod"}, "agnhost", PAUSE, revisionHistoryLimit=0)
    _rolled_out(deployments, name)
    sets.until(lambda items: "test-cleanup-controller" not in items and not _old_sets(items, made), START_SECONDS)
    check("cleaned-up", True)
    with pods.watch(since=since, seconds=1) as changes:
        added = [event["object"]["spec"]["containers"][0]["name"] for event in changes if event["type"] == "ADDED"]
    check("one-pod", added, ["agnhost"])
