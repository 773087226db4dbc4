"""sig-api-machinery: namespaces, what they hold and how they end."""

import pytest

from contract.api import STRATEGIC, Api, Json, Objects
from contract.conformance import Checks, conformance
from contract.operations import annotation, is_newer, valid_version
from contract.pods import pause_pod, until_running

SECONDS = 60
DELETION_SECONDS = 300
BRIEF = {"terminationGracePeriodSeconds": 1}
"""The namespace controller looks again after half of the pods' grace periods."""
FINALIZER = "e2e.example.com/fakeFinalizer"


@pytest.fixture
def namespaces(api: Api) -> Objects:
    """All namespaces."""
    return api.objects("v1", "Namespace")


def _again(namespaces: Objects, name: str, limit: int) -> None:
    """Delete a namespace, wait for its end, and make it anew: under its name, where upstream's gets another."""
    namespaces.delete(name)
    namespaces.until_gone(name, limit)
    namespaces.create({"metadata": {"name": name}})


@conformance("Namespaces should patch a Namespace")
def test_patch(namespaces: Objects, check: Checks, namespace: str) -> None:
    made = namespaces.get(namespace)
    check("valid-version", valid_version(made))
    after = namespaces.patch(namespace, {"metadata": {"labels": {"testLabel": "testValue"}}}, STRATEGIC)
    check("newer", is_newer(after, made))
    check("label", namespaces.get(namespace)["metadata"]["labels"]["testLabel"], "testValue")


@conformance("Namespaces should apply an update to a Namespace")
def test_update(namespaces: Objects, check: Checks, namespace: str) -> None:
    after = namespaces.change(namespace, lambda item: item["metadata"]["labels"].update({namespace: "updated"}))
    check("label", after["metadata"]["labels"][namespace], "updated")


@conformance("Namespaces should apply changes to a namespace status")
def test_status(namespaces: Objects, check: Checks, namespace: str) -> None:
    check("active", namespaces.get(namespace, "status")["status"]["phase"], "Active")
    reason = {"status": "True", "reason": "E2E", "message": "Patched by an e2e test"}
    patch = {
        "metadata": {"annotations": {"e2e-patched-ns-status": namespace}},
        "status": {"conditions": [{"type": "StatusPatch", **reason}]},
    }
    after = namespaces.patch(namespace, patch, part="status")
    check("patched-annotation", annotation(after, "e2e-patched-ns-status"), namespace)
    last = after["status"]["conditions"][-1]
    check("patched", (last["reason"], last["message"]), ("E2E", "Patched by an e2e test"))

    def add(item: Json) -> None:
        item["status"]["conditions"].append({"type": "StatusUpdate", **reason, "message": "Updated by an e2e test"})

    last = namespaces.change(namespace, add, "status")["status"]["conditions"][-1]
    check("updated", (last["type"], last["message"]), ("StatusUpdate", "Updated by an e2e test"))


@conformance("Namespaces should apply a finalizer to a Namespace")
def test_finalizer(namespaces: Objects, check: Checks, namespace: str) -> None:
    after = namespaces.change(namespace, lambda item: item["spec"]["finalizers"].append(FINALIZER), "finalize")
    check("added", FINALIZER in after["spec"]["finalizers"])
    after = namespaces.change(namespace, lambda item: item["spec"]["finalizers"].remove(FINALIZER), "finalize")
    check("removed", FINALIZER not in after["spec"]["finalizers"])


@conformance("Namespaces should ensure that all services are removed when a namespace is deleted")
def test_services_go_with_it(api: Api, namespaces: Objects, check: Checks, namespace: str) -> None:
    services = api.objects("v1", "Service", namespace)
    spec = {"selector": {"foo": "bar", "baz": "blah"}, "ports": [{"port": 80, "targetPort": 80}]}
    services.create({"metadata": {"name": "test-service"}, "spec": spec})
    _again(namespaces, namespace, SECONDS)
    check("removed", True)
    check("none", not services.exists("test-service"))


@conformance("Namespaces should ensure that all pods are removed when a namespace is deleted")
def test_pods_go_with_it(api: Api, namespaces: Objects, check: Checks, namespace: str) -> None:
    pods = api.objects("v1", "Pod", namespace)
    pod = pods.create(pause_pod("test-pod", spec=BRIEF))
    until_running(pods, "test-pod")
    check("running", True)
    _again(namespaces, namespace, SECONDS + pod["spec"]["terminationGracePeriodSeconds"])
    check("removed", True)
    check("none", not pods.exists("test-pod"))


@conformance("OrderedNamespaceDeletion namespace deletion should delete pod first")
def test_pods_go_first(api: Api, namespaces: Objects, check: Checks, namespace: str) -> None:
    pods, configmaps = api.objects("v1", "Pod", namespace), api.objects("v1", "ConfigMap", namespace)
    pods.create(pause_pod("test-pod", spec=BRIEF, finalizers=["e2e.example.com/finalizer"]))
    try:
        until_running(pods, "test-pod")
        configmaps.create({"metadata": {"name": "test-configmap"}, "data": {"key": "value"}})
        namespaces.delete(namespace)

        def processed(items: dict[str, Json]) -> bool:
            status = items[namespace]["status"]
            kinds = {found["type"] for found in status.get("conditions", [])}
            return status["phase"] == "Terminating" and "NamespaceDeletionContentFailure" in kinds

        namespaces.until(processed, DELETION_SECONDS, field=f"metadata.name={namespace}")
        check("processed", True)
        pods.until(lambda items: "deletionTimestamp" in items["test-pod"]["metadata"], DELETION_SECONDS)
        check("pod-first", configmaps.exists("test-configmap"))
    finally:
        pods.change("test-pod", lambda item: item["metadata"].update(finalizers=[]))
    pods.until_gone("test-pod", DELETION_SECONDS)
    check("pod-gone", True)
    namespaces.until_gone(namespace, DELETION_SECONDS)
    check("removed", True)
