"""sig-apps: what keeps pods, with its scale and its status, and what keeps them from being evicted."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from contract.api import MERGE, STRATEGIC, Api, Json, Objects, Refused
from contract.conformance import Checks, conformance
from contract.images import HTTPD, PAUSE
from contract.operations import condition
from contract.pods import START_SECONDS, pause_pod, until_running

SECONDS = 60
EVENT_SECONDS = 30
_NO_TIME = {"lastTransitionTime": None}
_EMPTY_DAEMON_SET: Json = {
    "metadata": {"creationTimestamp": None},
    "spec": {
        "selector": None,
        "template": {"metadata": {"creationTimestamp": None}, "spec": {"containers": None}},
        "updateStrategy": {},
    },
    "status": {
        "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0,
    },
}  # fmt: skip
"""What upstream's types say of one that has nothing."""
OTHER = "registry.k8s.io/e2e-test-images/nginx:1.14-4"


@pytest.fixture
def pods(api: Api, namespace: str) -> Objects:
    return api.objects("v1", "Pod", namespace)


@pytest.fixture
def controllers(api: Api, namespace: str) -> Objects:
    """ReplicationControllers."""
    return api.objects("v1", "ReplicationController", namespace)


def _sets(api: Api, namespace: str, kind: str) -> Objects:
    return api.objects("apps/v1", kind, namespace)


def _make(
    objects: Objects, name: str, labels: Json, replicas: int | None = 1, *, container: str = "", **spec: Any
) -> Json:
    """Ask for pods that have one container, of the same name where none is given."""
    pod = {"containers": [{"name": container or name, "image": PAUSE}], "terminationGracePeriodSeconds": 0}
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
    _make(controllers, "e2e-rc", {"name": "e2e-rc"}, selector=None)
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

    _make(controllers, name, {"name": name}, 3, selector=None)
    controllers.until(failing, SECONDS)
    check("failure", True)
    controllers.change(name, lambda item: item["spec"].update(replicas=2))
    controllers.until(lambda items: not failing(items), SECONDS)
    check("no-failure", True)


@conformance("ReplicaSet Replace and Patch tests")
def test_a_set_is_changed(api: Api, namespace: str, check: Checks) -> None:
    sets, name, labels = _sets(api, namespace, "ReplicaSet"), "test-rs", {"name": "sample-pod", "pod": "httpd"}
    since = sets.everywhere().all(label="test-rs=patched")["metadata"]["resourceVersion"]
    _make(sets, name, labels, container="httpd")
    _counts(sets, name, START_SECONDS, readyReplicas=1)
    check("running", True)
    after = sets.change(name, lambda item: item["spec"].update(replicas=2))
    check("scaled", after["spec"]["replicas"], 2)
    pod = {"terminationGracePeriodSeconds": 0, "containers": [{"name": name, "image": HTTPD}]}
    patch = {"metadata": {"labels": {"test-rs": "patched"}}, "spec": {"replicas": 3, "template": {"spec": pod}}}
    sets.patch(name, patch, STRATEGIC)

    def reached(event: Json) -> bool:
        counts = {"readyReplicas": 3, "availableReplicas": 3}.items()
        return bool(counts <= event["object"].get("status", {}).items())

    with sets.watch(since=since, label="test-rs=patched", seconds=START_SECONDS) as changes:
        found = changes.first(reached)["object"]["spec"]["template"]["spec"]
    check("patched", (found["containers"][0]["image"], found["terminationGracePeriodSeconds"]), (HTTPD, 0))
    check("both-containers", [container["name"] for container in found["containers"]], [name, "httpd"])


@conformance("ReplicaSet should list and delete a collection of ReplicaSets")
def test_a_collection_of_sets(api: Api, namespace: str, check: Checks, unique: str) -> None:
    sets = _sets(api, namespace, "ReplicaSet")
    _make(sets, "test-rs", {"name": "sample-pod", "pod": "httpd", "e2e": unique}, 3, container="httpd")
    _counts(sets, "test-rs", START_SECONDS, readyReplicas=3)
    check("running", True)
    check("listed-everywhere", len(sets.everywhere().items(label=f"e2e={unique}")), 1)
    sets.delete_all(label=f"e2e={unique}", gracePeriodSeconds=1)
    check("none-left", sets.everywhere().items(label=f"e2e={unique}"), [])


def _status(objects: Objects, check: Checks, name: str, label: str, more: Json | None = None) -> None:
    """What asked for pods is there; its status is read, updated and patched, and each is seen by a watch.

    `more` is what the patch has besides.
    """
    check("read", objects.get(name, "status")["kind"], objects.kind)
    new = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"}

    def edit(item: Json) -> None:
        item["status"]["conditions"] = [*item["status"].get("conditions", []), {**new, **_NO_TIME}]

    def sees(kind: str, **wanted: str) -> Callable[[Json], bool]:
        return lambda event: wanted.items() <= (condition(event["object"], kind) or {"no": "such"}).items()

    since = objects.all(label=label)["metadata"]["resourceVersion"]
    with objects.watch(since=since, label=label, seconds=120) as changes:
        objects.change(name, edit, "status")
        check("updated", changes.first(sees("StatusUpdate", reason="E2E", message="Set from e2e test")))
        patch = {"conditions": [{"type": "StatusPatched", "status": "True", **(_NO_TIME if more else {})}]}
        whole = more or {}
        objects.patch(name, {**whole, "status": {**whole.get("status", {}), **patch}}, MERGE, "status")
        check("patched", changes.first(sees("StatusPatched", status="True")))


@conformance("ReplicaSet should validate Replicaset Status endpoints")
def test_status_of_a_set(api: Api, namespace: str, check: Checks) -> None:
    sets = _sets(api, namespace, "ReplicaSet")
    _make(sets, "test-rs", {"name": "sample-pod", "pod": "httpd"}, container="httpd")
    _counts(sets, "test-rs", START_SECONDS, readyReplicas=1)
    check("running", True)
    _status(sets, check, "test-rs", "name=sample-pod,pod=httpd")


@conformance("Deployment should validate Deployment Status endpoints")
def test_status_of_a_deployment(api: Api, namespace: str, check: Checks) -> None:
    deployments = _sets(api, namespace, "Deployment")
    _make(deployments, "test-deployment", {"name": "httpd", "e2e": "testing"}, container="httpd")
    _counts(deployments, "test-deployment", START_SECONDS, updatedReplicas=1, availableReplicas=1, replicas=1)
    found = deployments.get("test-deployment")["metadata"]["annotations"]
    check("running", found["deployment.kubernetes.io/revision"], "1")
    _status(deployments, check, "test-deployment", "e2e=testing")


@conformance("StatefulSet Basic StatefulSet functionality should validate Statefulset Status endpoints")
def test_status_of_a_stateful_set(api: Api, namespace: str, check: Checks) -> None:
    sets = _sets(api, namespace, "StatefulSet")
    _make(sets, "ss", {"foo": "bar", "baz": "blah"}, serviceName="test")
    _counts(sets, "ss", 600, readyReplicas=1)
    check("running", True)
    sets.patch("ss", {"metadata": {"labels": {"e2e": "testing"}}}, STRATEGIC)
    _status(sets, check, "ss", "e2e=testing")


@conformance("Daemon set should verify changes to a daemon set status")
def test_status_of_a_daemon_set(api: Api, namespace: str, check: Checks) -> None:
    sets = _sets(api, namespace, "DaemonSet")
    labels = {"daemonset-name": "daemon-set"}
    _make(sets, "daemon-set", labels, None)
    _runs_on_all_nodes(sets, "daemon-set")
    check("running", True)
    _status(sets, check, "daemon-set", "daemonset-name=daemon-set", _EMPTY_DAEMON_SET)


def _runs_on_all_nodes(sets: Objects, name: str) -> None:
    """Wait until as many pods of a DaemonSet are ready as it wants."""

    def reached(items: dict[str, Json]) -> bool:
        status = items[name].get("status", {})
        return bool(0 < status.get("desiredNumberScheduled", 0) == status.get("numberReady", 0))

    sets.until(reached, START_SECONDS, field=f"metadata.name={name}")


@conformance("Deployment should run the lifecycle of a Deployment")
def test_a_deployments_life(api: Api, namespace: str, check: Checks) -> None:
    deployments, name, selector = _sets(api, namespace, "Deployment"), "test-deployment", "test-deployment-static=true"
    labels = {"test-deployment-static": "true"}

    def seen(kind: str, since: str, seconds: int = EVENT_SECONDS) -> bool:
        """Whether a watch from there gets such an event."""
        with deployments.watch(since=since, label=selector, seconds=seconds) as changes:
            return bool(changes.first(lambda event: event["type"] == kind))

    def rolled_out(replicas: int) -> Json:
        """The pods' specification once all there are are ready and of the last one."""
        counts = {"readyReplicas": replicas, "updatedReplicas": replicas, "unavailableReplicas": 0}
        _counts(deployments, name, START_SECONDS, **counts)
        found: Json = deployments.get(name)["spec"]["template"]["spec"]
        return found

    since = deployments.everywhere().all(label=selector)["metadata"]["resourceVersion"]
    made = _make(deployments, name, labels, 2)
    check("added", seen("ADDED", since))
    _counts(deployments, name, START_SECONDS, readyReplicas=2)
    check("ready", True)
    pod = {"terminationGracePeriodSeconds": 2, "containers": [{"name": name, "image": HTTPD}]}
    patch = {"metadata": {"labels": {"test-deployment": "patched"}}, "spec": {"replicas": 1, "template": {"spec": pod}}}
    deployments.patch(name, patch, STRATEGIC)
    check("patched", seen("MODIFIED", since))
    found = rolled_out(1)
    check("scaled", (found["containers"][0]["image"], found["terminationGracePeriodSeconds"]), (HTTPD, 2))
    everywhere = deployments.everywhere().all(label=selector)
    check("listed-everywhere", namespace in [item["metadata"]["namespace"] for item in everywhere["items"]])
    since = everywhere["metadata"]["resourceVersion"]
    metadata = {"name": name, "labels": {**labels, "test-deployment": "updated"}}
    whole = {**made, "metadata": metadata}
    whole["spec"]["template"]["spec"]["containers"][0]["image"] = OTHER
    deployments.update(whole)
    check("updated", seen("MODIFIED", since))

    def is_updated() -> bool:
        status = deployments.get(name, "status")
        image = status["spec"]["template"]["spec"]["containers"][0]["image"]
        return (image, status["metadata"]["labels"]["test-deployment"]) == (OTHER, "updated")

    check("updated-values", is_updated())
    rolled_out(2)
    check("ready-again", True)
    status = {"readyReplicas": 0, "availableReplicas": 0}
    patch = {"metadata": {"labels": {"test-deployment": "patched-status"}}, "status": status}
    deployments.patch(name, patch, STRATEGIC, "status")
    check("status-patched", seen("MODIFIED", since))
    check("labels-are-no-status", is_updated())
    check("put-right", rolled_out(2)["containers"][0]["image"], OTHER)
    deployments.delete_all(label=selector, gracePeriodSeconds=1)
    check("deleted", seen("DELETED", since, SECONDS))


@conformance("ControllerRevision should manage the lifecycle of a ControllerRevision")
def test_controller_revisions(api: Api, namespace: str, check: Checks) -> None:
    daemons, name, selector = _sets(api, namespace, "DaemonSet"), "e2e-daemon-set", "daemonset-name=e2e-daemon-set"
    revisions = _sets(api, namespace, "ControllerRevision")
    daemon = _make(daemons, name, {"daemonset-name": name}, None)
    _runs_on_all_nodes(daemons, name)
    check("running", True)
    (first,) = revisions.everywhere().items(label=selector)
    check("owned", _is_owned(first, daemon))
    old = first["metadata"]["name"]
    after = revisions.patch(old, {"metadata": {"labels": {old: "patched"}}}, STRATEGIC)
    check("patched", after["metadata"]["labels"][old], "patched")
    metadata = {"labels": {"daemonset-name": name, "controller-revision-hash": "e2e"}}
    metadata |= {"ownerReferences": first["metadata"]["ownerReferences"]}
    body = {"metadata": {"name": f"{name}-e2e", **metadata}, "data": first["data"], "revision": first["revision"] + 1}
    api.send_compact("POST", revisions.path(), {"apiVersion": revisions.version, "kind": revisions.kind, **body})
    check("two", len(revisions.items(label=selector)), 2)
    revisions.delete(old)
    revisions.until(lambda items: len(items) == 1, SECONDS, label=selector)
    new = revisions.names(label=selector)[0]
    whole = revisions.get(new)
    whole["metadata"]["labels"][new] = "updated"
    after = api.send_compact("PUT", revisions.path(new), whole)
    check("updated", after["metadata"]["labels"][new], "updated")
    daemons.patch(name, {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 1}}}}, STRATEGIC)
    revisions.until(lambda items: len(items) == 2, SECONDS, label=selector)
    check("another", True)
    revisions.delete_all(label=f"{new}=updated")
    left = revisions.until(lambda items: len(items) == 1, SECONDS, label=selector)
    check("third", [item["revision"] for item in left.values()], [3])


BUDGET = {"foo": "bar"}
SCHEDULING_SECONDS = 600


@pytest.fixture
def budgets(api: Api, namespace: str) -> Objects:
    return api.objects("policy/v1", "PodDisruptionBudget", namespace)


def _seen(budgets: Objects, name: str) -> Json:
    """The budget, once the controller has looked at it as it is."""

    def reached(items: dict[str, Json]) -> bool:
        item = items[name]
        return bool(item.get("status", {}).get("observedGeneration", 0) >= item["metadata"]["generation"])

    return budgets.until(reached, SCHEDULING_SECONDS, field=f"metadata.name={name}")[name]


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
    budgets.delete_all()
    budgets.until(lambda items: not items, SCHEDULING_SECONDS)
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
    budgets.until_gone("foo", SCHEDULING_SECONDS)
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
    disrupted = {pod: dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    budgets.change("foo", lambda item: item["status"].update(disruptedPods=disrupted), "status")
    _seen(budgets, "foo")
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
        found = pods.until(lambda items: len(ready(items)) >= 3, SCHEDULING_SECONDS, label="foo=bar")
        return ready(found)[0]

    def ready(items: dict[str, Json]) -> list[str]:
        """The names of those that are ready and do not end."""
        living = [item for item in items.values() if "deletionTimestamp" not in item["metadata"]]
        found = [item for item in living if (condition(item, "Ready") or {}).get("status") == "True"]
        return [str(item["metadata"]["name"]) for item in found]

    pod = running()
    check("blocked", _is_refused(api, pods, pod))
    budgets.change("foo", lambda item: item["spec"].update(minAvailable=2))
    _seen(budgets, "foo")
    running()
    healthy = {"currentHealthy": 3, "desiredHealthy": 2}.items()
    budgets.until(lambda items: healthy <= items["foo"]["status"].items(), EVENT_SECONDS)
    _evict(api, pods, pod)
    check("allowed", True)
    budgets.patch("foo", {"spec": {"minAvailable": None, "maxUnavailable": 0}}, MERGE)
    _seen(budgets, "foo")
    pod = running()
    check("blocked-again", _is_refused(api, pods, pod))
    budgets.delete("foo")
    budgets.until_gone("foo", SCHEDULING_SECONDS)
    running()
    _evict(api, pods, pod)
    check("free", True)
