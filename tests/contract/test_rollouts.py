"""sig-apps: how a Deployment puts new pods in the place of those there were."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.api import Api, Items, Json, Objects
from contract.conformance import Checks, conformance
from contract.images import HTTPD, PAUSE
from contract.pods import START_SECONDS

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
NONEXISTENT = "gcr.io/google_samples/gb-redisslave:nonexistent"
NEVER_READY = {"readinessGates": [{"conditionType": "contract.example.com/never"}]}
"""For the pods of an image that there is not, where nobody pulls images."""


@pytest.fixture
def sets(api: Api, namespace: str) -> Objects:
    return api.objects("apps/v1", "ReplicaSet", namespace)


@pytest.fixture
def deployments(api: Api, namespace: str) -> Objects:
    return api.objects("apps/v1", "Deployment", namespace)


def _make(objects: Objects, name: str, labels: Json, container: str, image: str, **more: Any) -> Json:
    """Ask for one pod; `more` goes to the specification, annotations to the metadata, what is for the pod to its."""
    annotations, pod = more.pop("annotations", {}), more.pop("pod", {})
    pod = {"containers": [{"name": container, "image": image}], "terminationGracePeriodSeconds": 0, **pod}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template, **more}
    return objects.create({"metadata": {"name": name, "labels": labels, "annotations": annotations}, "spec": spec})


def _set_before(sets: Objects, name: str, label: str, **more: Any) -> Json:
    """A ReplicaSet that nobody owns, and its pod runs."""
    _make(sets, name, {"name": label, "pod": "httpd"}, "httpd", HTTPD, **more)
    found = sets.until(lambda items: items[name].get("status", {}).get("readyReplicas") == 1, START_SECONDS)
    return found[name]


def _rolled_out(deployments: Objects, name: str, look: Callable[[Json], object] = bool) -> Json:
    """The Deployment, once it has all it wants of its last template, and nothing else; `look` sees it till then."""

    def reached(items: Items) -> bool:
        item, wanted = items[name], items[name]["spec"]["replicas"]
        look(item)
        status = item.get("status", {})
        counts = [status.get(count, 0) for count in ("updatedReplicas", "replicas", "availableReplicas")]
        seen = status.get("observedGeneration", 0) >= item["metadata"]["generation"]
        return counts == [wanted] * 3 and bool(seen)

    return deployments.until(reached, START_SECONDS)[name]


def _image(item: Json) -> str:
    return str(item["spec"]["template"]["spec"]["containers"][0]["image"])


def _at_revision(deployments: Objects, sets: Objects, name: str, revision: str, image: str) -> bool:
    """Whether it comes to be of that revision, and a ReplicaSet of its has it with that image."""

    def is_there(items: Items) -> bool:
        return any(
            item["metadata"].get("annotations", {}).get(REVISION) == revision
            and HASH in item["spec"]["selector"]["matchLabels"]
            and _image(item) == image
            for item in items.values()
        )

    def reached(items: Items) -> bool:
        return bool(items[name]["metadata"].get("annotations", {}).get(REVISION) == revision)

    return bool(deployments.until(reached, START_SECONDS)) and bool(sets.until(is_there, START_SECONDS))


def _old_sets(items: Items, deployment: Json) -> list[str]:
    """The names of its ReplicaSets that are not of its template."""
    image = _image(deployment)
    return [
        name
        for name, item in items.items()
        if deployment["metadata"]["uid"] in [owner["uid"] for owner in item["metadata"].get("ownerReferences", [])]
        and _image(item) != image
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


def _replicas(item: Json) -> tuple[int, int]:
    """How many it is to have, and has."""
    return item["spec"]["replicas"], item.get("status", {}).get("replicas", 0)


def _of_image(sets: Objects, image: str) -> Json:
    """The only ReplicaSet with it."""
    (found,) = [item for item in sets.items() if _image(item) == image]
    return found


@conformance("Deployment deployment should support rollover")
def test_rollover(deployments: Objects, sets: Objects, check: Checks) -> None:
    before, name = "test-rollover-controller", "test-rollover-deployment"
    _set_before(sets, before, "rollover-pod")
    check("ready", True)
    how = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    more = {"strategy": how, "minReadySeconds": 10, "pod": NEVER_READY}
    _make(deployments, name, {"name": "rollover-pod"}, "redis-slave", NONEXISTENT, **more)
    deployments.until(lambda items: items[name].get("status", {}).get("updatedReplicas", 0) >= 1, START_SECONDS)
    check("begun", True)
    check("revision", _at_revision(deployments, sets, name, "1", NONEXISTENT))
    stuck = _of_image(sets, NONEXISTENT)
    check("one-each", [_replicas(sets.get(before)), _replicas(stuck)], [(1, 1), (1, 1)])

    def edit(item: Json) -> None:
        item["spec"]["template"]["spec"]["containers"][0].update(name="agnhost", image=PAUSE)
        del item["spec"]["template"]["spec"]["readinessGates"]

    deployments.change(name, edit)
    check("next-revision", _at_revision(deployments, sets, name, "2", PAUSE))

    def look(item: Json) -> None:
        check("few", sum(one["spec"]["replicas"] for one in sets.items()) <= 2)
        check("available", item["status"].get("availableReplicas", 0) >= 1)

    _rolled_out(deployments, name, look)
    check("complete", True)
    check("none-left", [_replicas(sets.get(one)) for one in (before, stuck["metadata"]["name"])], [(0, 0), (0, 0)])


@conformance("Deployment deployment should support proportional scaling")
def test_proportional_scaling(deployments: Objects, sets: Objects, check: Checks) -> None:
    name, image = "webserver-deployment", "webserver:404"
    how = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2, "maxSurge": 3}}
    _make(deployments, name, {"name": "httpd"}, "httpd", HTTPD, replicas=10, strategy=how)
    _rolled_out(deployments, name)
    check("complete", True)

    def edit(item: Json) -> None:
        item["spec"]["template"]["spec"] |= NEVER_READY
        item["spec"]["template"]["spec"]["containers"][0]["image"] = image

    deployments.change(name, edit)
    first = _of_image(sets, HTTPD)["metadata"]["name"]

    def partly(items: Items) -> bool:
        return _replicas(items[first]) == (8, 8) and items[first]["status"].get("availableReplicas") == 8

    sets.until(partly, START_SECONDS)
    check("first", True)
    second = _of_image(sets, image)["metadata"]["name"]
    check("second-unavailable", sets.get(second).get("status", {}).get("availableReplicas", 0), 0)
    sets.until(lambda items: _replicas(items[second]) == (5, 5), START_SECONDS)
    check("second", True)
    check("available", deployments.get(name)["status"]["availableReplicas"] >= 8)
    deployments.change(name, lambda item: item["spec"].update(replicas=30))
    sets.until(lambda items: items[first]["spec"]["replicas"] == 20, START_SECONDS)
    check("first-scaled", True)
    sets.until(lambda items: items[second]["spec"]["replicas"] == 13, START_SECONDS)
    check("second-scaled", True)
