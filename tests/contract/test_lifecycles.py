"""Kinds of other sigs, as objects: each through a life of its own."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from contract.api import STRATEGIC, Api, Json, Objects, Refused
from contract.conformance import Checks, conformance
from contract.operations import is_newer, valid_version
from contract.pods import pause_pod

EVENT_SECONDS = 30
_ADDRESSES = ("addresses", "notReadyAddresses")


def _refusal(act: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value


@conformance("ConfigMap should run through a ConfigMap lifecycle")
def test_configmap(api: Api, check: Checks, namespace: str, unique: str) -> None:
    objects, static = api.objects("v1", "ConfigMap", namespace), {"test-configmap-static": "true"}
    objects.create({"metadata": {"name": unique, "labels": static}, "data": {"valueName": "value"}})
    found = objects.get(unique)
    check("read", (found["data"], found["metadata"]["labels"]), ({"valueName": "value"}, static))
    patch = {"metadata": {"labels": {"test-configmap": "patched"}}, "data": {"valueName": "value1"}}
    objects.patch(unique, patch, STRATEGIC)
    (found,) = [
        item
        for item in objects.everywhere().items(label="test-configmap=patched")
        if item["metadata"]["name"] == unique
    ]
    check("listed-everywhere", found["metadata"]["namespace"], namespace)
    check("patched-data", found["data"], {"valueName": "value1"})
    check("patched-label", found["metadata"]["labels"], {**static, "test-configmap": "patched"})
    objects.delete_all(label="test-configmap-static=true")
    check("gone", objects.items(label="test-configmap-static=true"), [])


@conformance("ConfigMap should update ConfigMap successfully")
def test_configmap_is_updated(api: Api, check: Checks, namespace: str, unique: str) -> None:
    objects, metadata = api.objects("v1", "ConfigMap", namespace), {"metadata": {"name": unique}}
    objects.create({**metadata, "data": {"data-1": "value-1", "data-2": "value-2", "data-3": "value-3"}})
    objects.update({"apiVersion": "v1", "kind": "ConfigMap", **metadata, "data": {"data": "value"}})
    check("updated", objects.get(unique)["data"], {"data": "value"})


@conformance("ConfigMap should fail to create ConfigMap with empty key")
def test_configmap_with_an_empty_key(api: Api, check: Checks, namespace: str) -> None:
    objects = api.objects("v1", "ConfigMap", namespace)
    body = {"metadata": {"name": "configmap-test-emptykey"}, "data": {"": "value-1"}}
    check("refused", _refusal(lambda: objects.create(body)).code, 422)


@conformance("Secrets should fail to create secret due to empty secret key")
def test_secret_with_an_empty_key(api: Api, check: Checks, namespace: str) -> None:
    objects = api.objects("v1", "Secret", namespace)
    body = {"metadata": {"name": "secret-emptykey-test"}, "data": {"": "dmFsdWUtMQ=="}}
    check("refused", _refusal(lambda: objects.create(body)).code, 422)


@conformance("Secrets should patch a secret")
def test_secret(api: Api, check: Checks, namespace: str, unique: str) -> None:
    objects = api.objects("v1", "Secret", namespace)
    labels = {"testsecret-constant": unique}
    objects.create({"metadata": {"name": "test", "labels": labels}, "data": {"key": "dmFsdWU="}, "type": "Opaque"})
    check("listed-everywhere", objects.everywhere().names(label=f"testsecret-constant={unique}"), ["test"])
    patch = {"metadata": {"labels": {"testsecret": "true"}}, "data": {"key": "ZG1Gc2RXVXg="}}
    objects.patch("test", patch, STRATEGIC)
    found = objects.get("test")
    check("label", found["metadata"]["labels"]["testsecret"], "true")
    check("data", found["data"]["key"], "ZG1Gc2RXVXg=")
    objects.delete_all(label="testsecret=true")
    check("gone", objects.everywhere().items(label=f"testsecret-constant={unique}"), [])


def _immutable(objects: Objects, check: Checks) -> None:
    made = objects.create({"metadata": {"name": "immutable"}, "data": {"data-1": "dmFsdWU="}})
    made["data"]["data-4"] = "dmFsdWU="
    made = objects.update(made)
    check("changes", made["data"].get("data-4"))
    made = objects.update({**made, "immutable": True})
    check("marked", made["immutable"])

    def refused(change: Json) -> bool:
        return _refusal(lambda: objects.update({**objects.get("immutable"), **change})).code == 422

    check("not-unmarked", refused({"immutable": False}))
    check("not-changed", refused({"data": {**made["data"], "data-5": "dmFsdWU="}}))
    labelled = objects.change("immutable", lambda item: item["metadata"].update(labels={"label1": "value1"}))
    check("metadata-changes", labelled["metadata"]["labels"], {"label1": "value1"})
    objects.delete("immutable")
    check("deleted", not objects.exists("immutable"))


@conformance("ConfigMap should be immutable if `immutable` field is set")
def test_immutable_configmap(api: Api, check: Checks, namespace: str) -> None:
    _immutable(api.objects("v1", "ConfigMap", namespace), check)


@conformance("Secrets should be immutable if `immutable` field is set")
def test_immutable_secret(api: Api, check: Checks, namespace: str) -> None:
    _immutable(api.objects("v1", "Secret", namespace), check)


def _template(name: str, **labels: str) -> Json:
    return {"metadata": {"name": name, "labels": labels}, "template": {"spec": pause_pod("")["spec"]}}


@conformance("PodTemplates should run the lifecycle of PodTemplates")
def test_pod_template(api: Api, check: Checks, namespace: str, unique: str) -> None:
    objects, label = api.objects("v1", "PodTemplate", namespace), f"podtemplate-static={unique}"
    check("none-yet", objects.everywhere().items(label=label), [])
    objects.create(_template("nginx-pod-template", **{"podtemplate-static": unique}))
    check("read", objects.get("nginx-pod-template")["metadata"]["name"], "nginx-pod-template")
    objects.patch("nginx-pod-template", {"metadata": {"labels": {"podtemplate": "patched"}}}, STRATEGIC)
    check("patched", objects.get("nginx-pod-template")["metadata"]["labels"]["podtemplate"], "patched")
    objects.delete("nginx-pod-template")
    check("gone", objects.everywhere().items(label=label), [])


@conformance("PodTemplates should delete a collection of pod templates")
def test_pod_templates(api: Api, check: Checks, namespace: str) -> None:
    objects = api.objects("v1", "PodTemplate", namespace)
    for number in range(3):
        objects.create(_template(f"test-podtemplate-{number}", **{"podtemplate-set": "true"}))
    check("listed", len(objects.items(label="podtemplate-set=true")), 3)
    objects.delete_all(label="podtemplate-set=true")
    check("gone", objects.until(lambda items: not items, 60, label="podtemplate-set=true"), {})


@conformance("PodTemplates should replace a pod template")
def test_replaced_pod_template(api: Api, check: Checks, namespace: str) -> None:
    objects = api.objects("v1", "PodTemplate", namespace)
    objects.create(_template("test"))
    after = objects.change("test", lambda item: item["metadata"].update(annotations={"updated": "true"}))
    check("annotated", after["metadata"]["annotations"]["updated"], "true")


@conformance("Lease lease API should be available")
def test_lease(api: Api, check: Checks, namespace: str) -> None:
    objects = api.objects("coordination.k8s.io/v1", "Lease", namespace)

    def spec(holder: str, seconds: int, transitions: int, acquired: str, renewed: str) -> Json:
        """Times are soon after Go's zero."""
        return {
            "holderIdentity": holder, "leaseDurationSeconds": seconds, "leaseTransitions": transitions,
            "acquireTime": f"0001-01-01T00:{acquired}.000000Z", "renewTime": f"0001-01-01T00:{renewed}.000000Z",
        }  # fmt: skip

    first = spec("holder", 30, 0, "00:02", "00:05")
    objects.create({"metadata": {"name": "lease"}, "spec": first})
    check("made", objects.get("lease")["spec"], first)
    second = spec("holder2", 30, 1, "00:20", "00:50")
    objects.change("lease", lambda item: item.update(spec=second))
    check("updated", objects.get("lease")["spec"], second)
    third = spec("holder3", 60, 2, "00:50", "01:10")
    objects.patch("lease", {"spec": third}, STRATEGIC)
    check("patched", objects.get("lease")["spec"], third)
    objects.create({"metadata": {"name": "lease2", "labels": {"deletecollection": "true"}}, "spec": first})
    check("listed", len(objects.items()), 2)
    objects.delete_all(label="deletecollection=true")
    check("one-left", objects.names(), ["lease"])
    objects.delete("lease")
    check("gone", not objects.exists("lease"))
    check("listed-everywhere", objects.everywhere().all()["kind"], "LeaseList")


@conformance("Node Lifecycle should run through the lifecycle of a node")
def test_node(api: Api, check: Checks, unique: str) -> None:
    objects, name = api.objects("v1", "Node"), f"e2e-fake-node-{unique}"
    ready = {"type": "Ready", "status": "True", "reason": "E2E", "message": "Set from e2e test"}
    made = objects.create(
        {
            "metadata": {"name": name},
            "spec": {"unschedulable": True},
            "status": {"phase": "Running", "conditions": [ready]},
        }
    )
    check("made", made["metadata"]["name"], name)
    check("valid-version", valid_version(made))
    check("read", objects.get(name)["metadata"]["name"], name)
    after = objects.patch(name, {"metadata": {"labels": {name: "patched"}}}, STRATEGIC)
    check("patched", after["metadata"]["labels"][name], "patched")
    check("newer", is_newer(after, made))
    check("listed", objects.names(label=f"{name}=patched"), [name])
    after = objects.change(name, lambda item: item["metadata"]["labels"].update({name: "updated"}))
    check("updated", after["metadata"]["labels"][name], "updated")
    objects.delete(name)
    objects.until_gone(name, 180)
    check("gone", True)


@conformance("SubjectReview should support SubjectReview API operations")
def test_subject_reviews(api: Api, check: Checks, namespace: str) -> None:
    account = api.objects("v1", "ServiceAccount", namespace).create({"metadata": {"name": "e2e"}})
    user, uid = f"system:serviceaccount:{namespace}:e2e", account["metadata"]["uid"]
    groups = ["system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    asked = {"verb": "list", "resource": "configmaps", "namespace": namespace, "version": "v1"}
    spec: dict[str, Any] = {"resourceAttributes": asked, "user": user, "groups": groups, "uid": uid}
    group = "authorization.k8s.io/v1"
    said = api.objects(group, "SubjectAccessReview").create({"spec": spec})["status"]["allowed"]
    body = {"metadata": {"namespace": namespace}, "spec": {**spec, "user": "e2e"}}
    locally = api.objects(group, "LocalSubjectAccessReview", namespace).create(body)["status"]["allowed"]
    other = api.impersonating(user, uid, groups)
    try:
        other.objects("v1", "ConfigMap", namespace).items()
        allowed = True
    except Refused as error:
        allowed = error.code != 403
    finally:
        other.close()
    check("review", said, allowed)
    check("local-review", locally, allowed)


@conformance("ServiceAccounts should run through the lifecycle of a ServiceAccount")
def test_service_account(api: Api, check: Checks, namespace: str, unique: str) -> None:
    objects, selector = api.objects("v1", "ServiceAccount", namespace), f"test-serviceaccount-static={unique}"
    made = objects.create({"metadata": {"name": unique, "labels": {"test-serviceaccount-static": unique}}})
    check("same-uid", objects.get(unique)["metadata"]["uid"], made["metadata"]["uid"])
    with objects.watch(label=selector, seconds=180) as changes:
        check("added", changes.first(lambda event: event["type"] == "ADDED"))
        objects.patch(unique, {"automountServiceAccountToken": False}, STRATEGIC)
        check("patched", changes.first(lambda event: event["type"] == "MODIFIED"))
        (found,) = objects.everywhere().items(label=selector)
        whole = (found["metadata"]["name"], found["metadata"]["namespace"], found["automountServiceAccountToken"])
        check("listed-everywhere", whole, (unique, namespace, False))
        objects.delete_all()
        check("deleted", changes.first(lambda event: event["type"] == "DELETED"))


@conformance("ServiceAccounts should update a ServiceAccount")
def test_updated_service_account(api: Api, check: Checks, namespace: str) -> None:
    objects = api.objects("v1", "ServiceAccount", namespace)
    made = objects.create({"metadata": {"name": "e2e-sa"}, "automountServiceAccountToken": False})
    check("made", made["automountServiceAccountToken"], False)
    after = objects.change("e2e-sa", lambda item: item.update(automountServiceAccountToken=True))
    check("updated", after["automountServiceAccountToken"])


@conformance("ServiceAccounts should create a serviceAccountToken and ensure a successful TokenReview")
def test_token_review(api: Api, check: Checks, namespace: str) -> None:
    objects = api.objects("v1", "ServiceAccount", namespace)
    account = objects.create({"metadata": {"name": "e2e-sa"}})
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = json.loads(api.send("POST", objects.path("e2e-sa", "token"), body))["status"]["token"]
    check("token", token)
    status = api.objects("authentication.k8s.io/v1", "TokenReview").create({"spec": {"token": token}})["status"]
    check("authenticated", status.get("authenticated"))
    check("no-error", status.get("error", ""), "")
    check("user", status["user"]["username"], f"system:serviceaccount:{namespace}:e2e-sa")
    groups = {"system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{namespace}"}
    check("groups", groups <= {*status["user"]["groups"]})
    check("uid", status["user"]["uid"], account["metadata"]["uid"])


@conformance("ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace")
def test_root_certificate(api: Api, check: Checks, namespace: str) -> None:
    objects, name = api.objects("v1", "ConfigMap", namespace), "kube-root-ca.crt"

    def content(items: dict[str, Json]) -> Any:
        return items.get(name, {}).get("data", {}).get("ca.crt")

    first = content(objects.until(content, EVENT_SECONDS))
    check("there", first)
    objects.delete(name, gracePeriodSeconds=0)
    check("made-again", content(objects.until(content, EVENT_SECONDS)), first)
    empty = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"ca.crt": ""}}
    objects.update(empty)
    check("put-right", content(objects.until(content, EVENT_SECONDS)), first)


@conformance("Conformance Tests should have at least two untainted nodes")
def test_nodes(api: Api, check: Checks) -> None:
    def usable(node: Json) -> bool:
        taints = [found["effect"] for found in node["spec"].get("taints", [])]
        ready = [found["status"] for found in node["status"]["conditions"] if found["type"] == "Ready"]
        return (
            ready == ["True"] and not node["spec"].get("unschedulable") and not {"NoSchedule", "NoExecute"} & {*taints}
        )

    def enough(items: dict[str, Json]) -> bool:
        return len([node for node in items.values() if usable(node)]) >= 2

    api.objects("v1", "Node").until(enough, 600)
    check("two", True)


@conformance("API Server should provide secure master service")
def test_service_of_the_api(api: Api, check: Checks) -> None:
    check("there", api.objects("v1", "Service", "default").get("kubernetes")["metadata"]["name"], "kubernetes")


@conformance("API Server should have Endpoints and EndpointSlices pointing to API Server")
def test_endpoints_of_the_api(api: Api, check: Checks) -> None:
    service = api.objects("v1", "Service", "default").get("kubernetes")
    subsets = api.objects("v1", "Endpoints", "default").get("kubernetes")["subsets"]
    check("subset", len(subsets) > 0)
    slices = api.objects("discovery.k8s.io/v1", "EndpointSlice", "default")
    found = slices.items(label="kubernetes.io/service-name=kubernetes")
    check("slice", len(found) > 0)
    family = service["spec"]["ipFamilies"][0]
    found = [item for item in found if item["addressType"] == family]
    ports = {port["port"] for item in found for port in item["ports"]}
    check("ports", ports, {port["port"] for subset in subsets for port in subset["ports"]})
    addresses = {one for item in found for endpoint in item["endpoints"] for one in endpoint["addresses"]}
    wanted = {one["ip"] for subset in subsets for kind in _ADDRESSES for one in subset.get(kind) or []}
    check("addresses", addresses, wanted)


@conformance("Services should find a service from listing all namespaces")
def test_a_service_among_all(api: Api, check: Checks) -> None:
    found = api.objects("v1", "Service").items()
    names = [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in found]
    check("found", ("default", "kubernetes") in names)


@conformance("Services should delete a collection of services")
def test_services(api: Api, check: Checks, namespace: str) -> None:
    objects = api.objects("v1", "Service", namespace)
    for number, label in enumerate(("delete", "delete", "keep")):
        spec = {"type": "ClusterIP", "ports": [{"name": "http", "port": 80 + number, "targetPort": 80}]}
        objects.create({"metadata": {"name": f"e2e-svc-{number}", "labels": {"e2e-test-service": label}}, "spec": spec})
    check("listed", len(objects.items()), 3)
    objects.delete_all(label="e2e-test-service=delete")
    check("one-left", objects.names(), ["e2e-svc-2"])


@conformance("Endpoints should test the lifecycle of an Endpoint")
def test_endpoints(api: Api, check: Checks, namespace: str, unique: str) -> None:
    objects, selector = api.objects("v1", "Endpoints", namespace), f"test-endpoint-static={unique}"
    subset = {"addresses": [{"ip": "10.0.0.24"}], "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}
    since = objects.everywhere().all(label=selector)["metadata"]["resourceVersion"]

    def seen(kind: str, since: str) -> bool:
        """Whether a watch from there gets such an event."""
        with objects.watch(since=since, label=selector, seconds=EVENT_SECONDS) as changes:
            return bool(changes.first(lambda event: event["type"] == kind))

    labels = {"test-endpoint-static": unique}
    made = objects.create({"metadata": {"name": "testservice", "labels": labels}, "subsets": [subset]})
    check("valid-version", valid_version(made))
    check("added", seen("ADDED", since))
    everywhere = objects.everywhere().all(label=selector)
    (found,) = everywhere["items"]
    check("listed-everywhere", (found["metadata"]["name"], found["metadata"]["namespace"]), ("testservice", namespace))
    found["metadata"]["labels"]["test-service"] = "updated"
    objects.update({"apiVersion": "v1", "kind": "Endpoints", **found})
    check("updated", seen("MODIFIED", everywhere["metadata"]["resourceVersion"]))
    found = objects.get("testservice")
    check("updated-label", found["metadata"]["labels"]["test-service"], "updated")
    changed: Json = {"addresses": [{"ip": "10.0.0.25"}], "ports": [{"name": "http-test", "port": 8080}]}
    patch = {"metadata": {"labels": {"test-service": "patched"}}, "subsets": [changed]}
    check("newer", is_newer(objects.patch("testservice", patch, STRATEGIC), made))
    check("patched", seen("MODIFIED", found["metadata"]["resourceVersion"]))
    found = objects.get("testservice")
    check("patched-label", found["metadata"]["labels"]["test-service"], "patched")
    one = found["subsets"][0]
    values = (one["addresses"][0]["ip"], one["ports"][0]["name"], one["ports"][0]["port"])
    check("patched-subset", values, ("10.0.0.25", "http-test", 8080))
    objects.delete_all(label=selector)
    check("deleted", seen("DELETED", found["metadata"]["resourceVersion"]))
    check("gone", not objects.exists("testservice"))


@conformance("ServiceCIDR and IPAddress API should support IPAddress API operations")
def test_addresses(api: Api, check: Checks) -> None:
    objects = api.objects("networking.k8s.io/v1", "IPAddress")
    parent = {"group": "mygroup", "resource": "myresources", "namespace": "foo", "name": "bar"}
    name = "255.255.255.255"
    made = {
        address: objects.create(
            {"metadata": {"name": address, "labels": {"type": kind}}, "spec": {"parentRef": parent}}
        )
        for address, kind in ((name, "broadcast"), ("fe80::42:1dff:fe84:f9e2", "link-local"))
    }
    try:
        after = objects.patch(name, {"metadata": {"annotations": {"patched": "true"}}})
        check("newer", valid_version(made[name]) and is_newer(after, made[name]))
        check("patched", after["metadata"]["annotations"]["patched"], "true")
        after = objects.change(name, lambda item: item["metadata"]["annotations"].update(updated="true"))
        check("updated", after["metadata"]["annotations"]["updated"], "true")
        check("read", objects.get(name)["metadata"]["name"], name)
        check("listed", len(objects.items(label="type=broadcast")), 1)
        with objects.watch(label="type=broadcast") as changes:
            check("watched", next(changes)["object"]["metadata"]["name"], name)
    finally:
        objects.delete(name)
        objects.delete_all(label="type=link-local")
    check("none-left", objects.items(label="type=link-local"), [])


@conformance("ServiceCIDR and IPAddress API should support ServiceCIDR API operations")
def test_address_ranges(api: Api, check: Checks) -> None:
    objects = api.objects("networking.k8s.io/v1", "ServiceCIDR")
    found = objects.get("kubernetes")
    check("default", found["metadata"]["name"], "kubernetes")
    status = objects.get("kubernetes", "status")
    whole = (status["apiVersion"], status["kind"], status["metadata"]["uid"])
    check("status-read", whole, ("networking.k8s.io/v1", "ServiceCIDR", found["metadata"]["uid"]))
    check("listed", objects.items())
    with objects.watch() as changes:
        check("watched", next(changes)["type"], "ADDED")
