"""sig-apps: what keeps pods, with its scale and its status, and what keeps them from being evicted."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from contract.api import MERGE, STRATEGIC, Api, Json, Objects, Refused
from contract.conformance import Checks, conformance
from contract.operations import condition
from contract.pods import PAUSE, START_SECONDS, pause_pod, until_running

SECONDS = 60
HTTPD = "registry.k8s.io/e2e-test-images/httpd:2.4.38-4"


@pytest.fixture
def pods(api: Api, namespace: str) -> Objects:
    return api.objects("v1", "Pod", namespace)


@pytest.fixture
def controllers(api: Api, namespace: str) -> Objects:
    """ReplicationControllers."""
    return api.objects("v1", "ReplicationController", namespace)


def _sets(api: Api, namespace: str, kind: str) -> Objects:
    return api.objects("apps/v1", kind, namespace)


def _make(objects: Objects, name: str, labels: Json, replicas: int | None = 1, **spec: Any) -> Json:
    """Ask for pods that have one container of the same name."""
    pod = {"containers": [{"name": name, "image": PAUSE}], "terminationGracePeriodSeconds": 0}
    selector = labels if objects.kind == "ReplicationController" else {"matchLabels": labels}
    template = {"metadata": {"labels": labels}, "spec": pod}
    whole = {"selector": selector, "template": template, **({"replicas": replicas} if replicas else {}), **spec}
    return objects.create({"metadata": {"name": name, "labels": labels}, "spec": whole})


def _counts(objects: Objects, name: str, limit: int, **wanted: int) -> None:
    """Wait until the status says so."""

    def reached(items: dict[str, Json]) -> bool:
        status = items[name].get("status", {})
        return all(status.get(field, 0) == value for field, value in wanted.items())

    objects.until(reached, limit, field=f"metadata.name={name}")


def _is_owned(pod: Json, owner: Json) -> bool:
    references = pod["metadata"].get("ownerReferences", [])
    return any(found.get("controller") and found["uid"] == owner["metadata"]["uid"] for found in references)


def _adopted(objects: Objects, pods: Objects, check: Checks, name: str) -> Json:
    """A pod is there before what selects it."""
    labels = {"name": name}
    pods.create(pause_pod(name, labels=labels))
    until_running(pods, name)
    check("running", True)
    made = _make(objects, name, labels)
    pods.until(lambda items: name not in items or _is_owned(items[name], made), SECONDS)
    check("adopted", True)
    return made


def _released(pods: Objects, check: Checks, name: str, owner: Json) -> None:
    """A pod's labels change."""
    found = pods.until(lambda items: items, SECONDS, label=f"name={name}")
    pod = next(iter(found))
    pods.change(pod, lambda item: item["metadata"].update(labels={"name": "not-matching-name"}))
    pods.until(lambda items: not _is_owned(items[pod], owner), SECONDS)
    check("released", True)


@conformance("ReplicationController should adopt matching pods on creation")
def test_a_controller_adopts(controllers: Objects, pods: Objects, check: Checks) -> None:
    _adopted(controllers, pods, check, "pod-adoption")


@conformance("ReplicationController should release no longer matching pods")
def test_a_controller_releases(controllers: Objects, pods: Objects, check: Checks) -> None:
    _released(pods, check, "pod-release", _make(controllers, "pod-release", {"name": "pod-release"}))


@conformance("ReplicaSet should adopt matching pods on creation and release no longer matching pods")
def test_a_set_adopts_and_releases(api: Api, namespace: str, pods: Objects, check: Checks) -> None:
    made = _adopted(_sets(api, namespace, "ReplicaSet"), pods, check, "pod-adoption-release")
    _released(pods, check, "pod-adoption-release", made)


@conformance("ReplicationController should get and update a ReplicationController scale")
def test_scale_of_a_controller(controllers: Objects, check: Checks) -> None:
    _make(controllers, "e2e-rc", {"name": "e2e-rc"})
    _counts(controllers, "e2e-rc", SECONDS, replicas=1)
    scale = controllers.get("e2e-rc", "scale")
    check("read", scale["status"]["replicas"], 1)
    scale["metadata"].pop("resourceVersion")
    scale["spec"]["replicas"] = 2
    controllers.update(scale, "scale")
    _counts(controllers, "e2e-rc", SECONDS, replicas=2)
    check("scaled", True)


@conformance("ReplicationController should test the lifecycle of a ReplicationController")
def test_a_controllers_life(controllers: Objects, check: Checks) -> None:
    name, selector = "rc-test", "test-rc-static=true"
    since = controllers.all(label=selector)["metadata"]["resourceVersion"]
    with controllers.watch(since=since, label=selector, seconds=START_SECONDS) as changes:

        def modified() -> bool:
            return bool(changes.first(lambda event: event["type"] == "MODIFIED"))

        _make(controllers, name, {"test-rc-static": "true"})
        check("added", next(changes)["type"], "ADDED")
        _counts(controllers, name, START_SECONDS, replicas=1, readyReplicas=1)
        check("ready", True)
        after = controllers.patch(name, {"metadata": {"labels": {"test-rc": "patched"}}}, STRATEGIC)
        check("patched", (after["metadata"]["labels"]["test-rc"], modified()), ("patched", True))
        status = {"status": {"readyReplicas": 0, "availableReplicas": 0}}
        after = controllers.patch(name, status, STRATEGIC, "status")
        check("status-patched", (after["status"].get("readyReplicas", 0), modified()), (0, True))
        check("status-read", controllers.get(name, "status")["status"]["replicas"], 1)
        controllers.patch(name, {"spec": {"replicas": 2}}, STRATEGIC, "scale")
        _counts(controllers, name, START_SECONDS, replicas=2, readyReplicas=2)
        check("scaled", modified())
        check("label-stays", controllers.get(name)["metadata"]["labels"]["test-rc"], "patched")
        counts = {"availableReplicas": 1, "readyReplicas": 1}
        after = controllers.change(name, lambda item: item["status"].update(counts), "status")
        check("status-updated", modified())
        found = controllers.everywhere().items(label=selector)
        check("listed-everywhere", [item["metadata"]["labels"]["test-rc"] for item in found], ["patched"])
        controllers.delete_all(label=selector)
        check("deleted", changes.first(lambda event: event["type"] == "DELETED"))


@conformance("ReplicationController should surface a failure condition on a common issue like exceeded quota")
def test_a_controllers_failure(api: Api, namespace: str, controllers: Objects, check: Checks) -> None:
    name, quotas = "condition-test", api.objects("v1", "ResourceQuota", namespace)
    quotas.create({"metadata": {"name": name}, "spec": {"hard": {"pods": "2"}}})
    quotas.until(lambda items: items[name].get("status", {}).get("hard", {}).get("pods") == "2", SECONDS)
    check("quota", True)

    def failing(items: dict[str, Json]) -> bool:
        status = items[name].get("status", {})
        return status.get("observedGeneration", 0) >= items[name]["metadata"]["generation"] and bool(
            condition({"status": status}, "ReplicaFailure")
        )

    _make(controllers, name, {"name": name}, 3)
    controllers.until(failing, SECONDS)
    check("failure", True)
    controllers.change(name, lambda item: item["spec"].update(replicas=2))
    controllers.until(lambda items: not failing(items), SECONDS)
    check("no-failure", True)


@conformance("ReplicaSet Replace and Patch tests")
def test_a_set_is_changed(api: Api, namespace: str, check: Checks) -> None:
    sets, name, labels = _sets(api, namespace, "ReplicaSet"), "test-rs", {"name": "sample-pod"}
    _make(sets, name, labels)
    _counts(sets, name, START_SECONDS, readyReplicas=1)
    check("running", True)
    after = sets.change(name, lambda item: item["spec"].update(replicas=2))
    check("scaled", after["spec"]["replicas"], 2)
    pod = {"terminationGracePeriodSeconds": 0, "containers": [{"name": name, "image": HTTPD}]}
    patch = {"metadata": {"labels": {"test-rs": "patched"}}, "spec": {"replicas": 3, "template": {"spec": pod}}}
    sets.patch(name, patch, STRATEGIC)
    _counts(sets, name, START_SECONDS, readyReplicas=3, availableReplicas=3)
    found = sets.items(label="test-rs=patched")[0]["spec"]["template"]["spec"]
    check("patched", (found["containers"][0]["image"], found["terminationGracePeriodSeconds"]), (HTTPD, 0))


@conformance("ReplicaSet should list and delete a collection of ReplicaSets")
def test_a_collection_of_sets(api: Api, namespace: str, check: Checks, unique: str) -> None:
    sets = _sets(api, namespace, "ReplicaSet")
    _make(sets, "test-rs", {"name": "sample-pod", "e2e": unique}, 3)
    _counts(sets, "test-rs", START_SECONDS, readyReplicas=3)
    check("running", True)
    check("listed-everywhere", len(sets.everywhere().items(label=f"e2e={unique}")), 1)
    sets.delete_all(label=f"e2e={unique}", gracePeriodSeconds=1)
    check("none-left", sets.everywhere().items(label=f"e2e={unique}"), [])


def _status(objects: Objects, check: Checks, name: str, label: str) -> None:
    """What asked for pods is there; its status is read, updated and patched, and each is seen by a watch."""
    check("read", objects.get(name, "status")["kind"], objects.kind)
    new = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"}

    def edit(item: Json) -> None:
        item["status"]["conditions"] = [*item["status"].get("conditions", []), new]

    def sees(kind: str, **wanted: str) -> Callable[[Json], bool]:
        return lambda event: wanted.items() <= (condition(event["object"], kind) or {"no": "such"}).items()

    since = objects.all(label=label)["metadata"]["resourceVersion"]
    with objects.watch(since=since, label=label) as changes:
        objects.change(name, edit, "status")
        check("updated", changes.first(sees("StatusUpdate", reason="E2E", message="Set from e2e test")))
        patch = {"status": {"conditions": [{"type": "StatusPatched", "status": "True"}]}}
        objects.patch(name, patch, MERGE, "status")
        check("patched", changes.first(sees("StatusPatched", status="True")))


@conformance("ReplicaSet should validate Replicaset Status endpoints")
def test_status_of_a_set(api: Api, namespace: str, check: Checks) -> None:
    sets = _sets(api, namespace, "ReplicaSet")
    _make(sets, "test-rs", {"name": "sample-pod"})
    _counts(sets, "test-rs", START_SECONDS, readyReplicas=1)
    check("running", True)
    _status(sets, check, "test-rs", "name=sample-pod")


@conformance("Deployment should validate Deployment Status endpoints")
def test_status_of_a_deployment(api: Api, namespace: str, check: Checks) -> None:
    deployments = _sets(api, namespace, "Deployment")
    _make(deployments, "test-deployment", {"e2e": "testing"})
    _counts(deployments, "test-deployment", START_SECONDS, updatedReplicas=1, availableReplicas=1, replicas=1)
    check("running", True)
    _status(deployments, check, "test-deployment", "e2e=testing")


@conformance("StatefulSet Basic StatefulSet functionality should validate Statefulset Status endpoints")
def test_status_of_a_stateful_set(api: Api, namespace: str, check: Checks) -> None:
    sets = _sets(api, namespace, "StatefulSet")
    _make(sets, "ss", {"e2e": "testing"}, serviceName="test")
    _counts(sets, "ss", START_SECONDS, readyReplicas=1)
    check("running", True)
    _status(sets, check, "ss", "e2e=testing")


@conformance("Daemon set should verify changes to a daemon set status")
def test_status_of_a_daemon_set(api: Api, namespace: str, check: Checks) -> None:
    sets = _sets(api, namespace, "DaemonSet")
    _make(sets, "daemon-set", {"e2e": "testing"}, None)
    sets.until(lambda items: items["daemon-set"].get("status", {}).get("numberReady"), START_SECONDS)
    check("running", True)
    _status(sets, check, "daemon-set", "e2e=testing")


@conformance("Deployment should run the lifecycle of a Deployment")
def test_a_deployments_life(api: Api, namespace: str, check: Checks) -> None:
    deployments, name, selector = _sets(api, namespace, "Deployment"), "test-deployment", "test-deployment-static=true"
    since = deployments.all(label=selector)["metadata"]["resourceVersion"]
    with deployments.watch(since=since, label=selector) as changes:
        _make(deployments, name, {"test-deployment-static": "true"}, 2)
        check("added", next(changes)["type"], "ADDED")
        _counts(deployments, name, SECONDS, readyReplicas=2)
        check("ready", True)
        container = {"name": name, "image": HTTPD, "command": ["/bin/sleep", "100000"]}
        spec = {"replicas": 1, "template": {"spec": {"containers": [container]}}}
        deployments.patch(name, {"metadata": {"labels": {"test-deployment": "patched"}}, "spec": spec}, STRATEGIC)
        check("patched", changes.first(lambda event: event["type"] == "MODIFIED"))
        _counts(deployments, name, SECONDS, readyReplicas=1)
        check("scaled", deployments.get(name)["spec"]["template"]["spec"]["containers"][0]["image"], HTTPD)
        found = deployments.everywhere().items(label=selector)
        check("listed-everywhere", [item["metadata"]["namespace"] for item in found], [namespace])

        def edit(item: Json) -> None:
            item["metadata"]["labels"]["test-deployment"] = "updated"
            item["spec"]["replicas"] = 2
            item["spec"]["template"]["spec"]["containers"][0]["image"] = PAUSE

        deployments.change(name, edit)
        status = deployments.get(name, "status")
        image = status["spec"]["template"]["spec"]["containers"][0]["image"]
        check("updated", (image, status["metadata"]["labels"]["test-deployment"]), (PAUSE, "updated"))
        _counts(deployments, name, SECONDS, readyReplicas=2)
        check("ready-again", True)
        patch = {"metadata": {"labels": {"test-deployment": "patched-status"}}, "status": {"readyReplicas": 0}}
        with suppress(Refused):  # upstream does not look at the answer: no more may be available than are ready
            deployments.patch(name, patch, STRATEGIC, "status")
        label = deployments.get(name, "status")["metadata"]["labels"]["test-deployment"]
        check("labels-are-no-status", label, "updated")
        _counts(deployments, name, SECONDS, readyReplicas=2)
        check("put-right", True)
        deployments.delete_all(label=selector, gracePeriodSeconds=0)
        check("deleted", changes.first(lambda event: event["type"] == "DELETED"))


@conformance("ControllerRevision should manage the lifecycle of a ControllerRevision")
def test_controller_revisions(api: Api, namespace: str, check: Checks) -> None:
    daemons, name, selector = _sets(api, namespace, "DaemonSet"), "e2e-daemon-set", "daemonset-name=e2e-daemon-set"
    revisions = _sets(api, namespace, "ControllerRevision")
    daemon = _make(daemons, name, {"daemonset-name": name}, None)
    daemons.until(lambda items: items[name].get("status", {}).get("numberReady"), START_SECONDS)
    check("running", True)
    (first,) = revisions.everywhere().items(label=selector)
    check("owned", _is_owned(first, daemon))
    old = first["metadata"]["name"]
    after = revisions.patch(old, {"metadata": {"labels": {old: "patched"}}}, STRATEGIC)
    check("patched", after["metadata"]["labels"][old], "patched")
    metadata = {"labels": {"daemonset-name": name}, "ownerReferences": first["metadata"]["ownerReferences"]}
    body = {"metadata": {"name": f"{name}-new", **metadata}, "data": first["data"], "revision": first["revision"] + 1}
    revisions.create(body)
    check("two", len(revisions.items(label=selector)), 2)
    revisions.delete(old)
    revisions.until(lambda items: len(items) == 1, SECONDS, label=selector)
    new = revisions.names(label=selector)[0]
    after = revisions.change(new, lambda item: item["metadata"]["labels"].update({new: "updated"}))
    check("updated", after["metadata"]["labels"][new], "updated")
    daemons.patch(name, {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 1}}}}, STRATEGIC)
    revisions.until(lambda items: len(items) == 2, SECONDS, label=selector)
    check("another", True)
    revisions.delete_all(label=f"{new}=updated")
    left = revisions.until(lambda items: len(items) == 1, SECONDS, label=selector)
    check("third", [item["revision"] for item in left.values()], [3])


BUDGET = {"foo": "bar"}


@pytest.fixture
def budgets(api: Api, namespace: str) -> Objects:
    return api.objects("policy/v1", "PodDisruptionBudget", namespace)


def _seen(budgets: Objects, name: str) -> Json:
    """The budget, once the controller has looked at it as it is."""

    def reached(items: dict[str, Json]) -> bool:
        item = items[name]
        return bool(item.get("status", {}).get("observedGeneration", 0) >= item["metadata"]["generation"])

    return budgets.until(reached, SECONDS, field=f"metadata.name={name}")[name]


def _budget(budgets: Objects, name: str, least: int | str, labels: Json | None = None) -> Json:
    spec = {"selector": {"matchLabels": BUDGET}, "minAvailable": least}
    budgets.create({"metadata": {"name": name, "labels": labels or BUDGET}, "spec": spec})
    return _seen(budgets, name)


def _three_pods(pods: Objects, count: int = 3) -> list[str]:
    for number in range(count):
        pods.create(pause_pod(f"pod-{number}", labels=BUDGET))
    return [until_running(pods, f"pod-{number}")["metadata"]["name"] for number in range(count)]


@conformance(
    "DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of"
    " PodDisruptionBudgets"
)
def test_a_collection_of_budgets(
    api: Api, namespace: str, new_namespace: Callable[..., str], budgets: Objects, check: Checks, unique: str
) -> None:
    labels = {"foo_pdb": unique}
    others = api.objects("policy/v1", "PodDisruptionBudget", new_namespace())
    for where, name, least in ((budgets, "foo", 2), (budgets, "foo2", "1%"), (others, "foo3", 2)):
        _budget(where, name, least, labels)
    check("seen", True)
    found = budgets.everywhere().names(label=f"foo_pdb={unique}")
    check("listed-everywhere", {*found}, {"foo", "foo2", "foo3"})
    check("listed", {*budgets.names(label=f"foo_pdb={unique}")}, {"foo", "foo2"})
    budgets.delete_all(label=f"foo_pdb={unique}")
    budgets.until(lambda items: not items, SECONDS)
    check("none-left", True)


@conformance("DisruptionController should create a PodDisruptionBudget")
def test_a_budget(budgets: Objects, check: Checks) -> None:
    _budget(budgets, "foo", "1%")
    check("seen", True)
    budgets.change("foo", lambda item: item["spec"].update(minAvailable="2%"))
    check("updated", _seen(budgets, "foo")["spec"]["minAvailable"], "2%")
    budgets.patch("foo", {"spec": {"minAvailable": "3%"}}, MERGE)
    check("patched", _seen(budgets, "foo")["spec"]["minAvailable"], "3%")
    budgets.delete("foo")
    budgets.until_gone("foo", SECONDS)
    check("gone", True)


@conformance("DisruptionController should observe PodDisruptionBudget status updated")
def test_what_a_budget_allows(budgets: Objects, pods: Objects, check: Checks) -> None:
    _budget(budgets, "foo", 1)
    _three_pods(pods)
    budgets.until(lambda items: items["foo"]["status"].get("disruptionsAllowed", 0) > 0, SECONDS)
    check("allowed", True)


@conformance("DisruptionController should update/patch PodDisruptionBudget status")
def test_status_of_a_budget(budgets: Objects, pods: Objects, check: Checks) -> None:
    _budget(budgets, "foo", 1)
    (pod,) = _three_pods(pods, 1)
    disrupted = {pod: pods.get(pod)["metadata"]["creationTimestamp"]}
    budgets.change("foo", lambda item: item["status"].update(disruptedPods=disrupted), "status")
    check("updated", pod in budgets.get("foo", "status")["status"].get("disruptedPods", {}))
    after = budgets.patch("foo", {"status": {"disruptedPods": {pod: None}}}, MERGE, "status")
    check("patched", after["status"].get("disruptedPods") or {}, {})


def _evict(api: Api, pods: Objects, name: str) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    api.send("POST", pods.path(name, "eviction"), body)


def _is_refused(api: Api, pods: Objects, name: str) -> bool:
    with pytest.raises(Refused) as refused:
        _evict(api, pods, name)
    causes = refused.value.status.get("details", {}).get("causes", [])
    return any(cause.get("reason") == "DisruptionBudget" for cause in causes)


@conformance("DisruptionController should block an eviction until the PDB is updated to allow it")
def test_evictions(api: Api, namespace: str, budgets: Objects, pods: Objects, check: Checks) -> None:
    _budget(budgets, "foo", 3)
    sets = _sets(api, namespace, "ReplicaSet")
    _make(sets, "rs", BUDGET, 3)

    def running() -> str:
        _counts(sets, "rs", START_SECONDS, readyReplicas=3)
        found = pods.items(label="foo=bar", field="status.phase=Running")
        return str(next(item for item in found if "deletionTimestamp" not in item["metadata"])["metadata"]["name"])

    pod = running()
    check("blocked", _is_refused(api, pods, pod))
    budgets.change("foo", lambda item: item["spec"].update(minAvailable=2))
    budgets.until(lambda items: items["foo"]["status"].get("desiredHealthy") == 2, SECONDS)
    budgets.until(lambda items: items["foo"]["status"].get("currentHealthy") == 3, SECONDS)
    _evict(api, pods, pod)
    check("allowed", True)
    budgets.patch("foo", {"spec": {"minAvailable": None, "maxUnavailable": 0}}, MERGE)
    _seen(budgets, "foo")
    pod = running()
    check("blocked-again", _is_refused(api, pods, pod))
    budgets.delete("foo")
    budgets.until_gone("foo", SECONDS)
    running()
    _evict(api, pods, pod)
    check("free", True)
