"""Kinds of sig-storage, sig-scheduling and sig-network, as objects: each through a life of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.api import MERGE, STRATEGIC, Api, Json, Objects, Refused, eventually
from contract.conformance import Checks, conformance
from contract.operations import is_newer, valid_version
from contract.pods import pause_pod

STORAGE = "storage.k8s.io/v1"


GONE_SECONDS = 30


def _patched(objects: Objects, check: Checks, body: Json, form: str = STRATEGIC) -> None:
    """One is made, read, patched, listed and deleted."""
    made = objects.create(body)
    name = made["metadata"]["name"]
    label = f"{name}=patched"
    check("valid-version", valid_version(made))
    check("read", objects.get(name)["metadata"]["name"], name)
    after = objects.patch(name, {"metadata": {"labels": {name: "patched"}}}, form)
    check("patched", after["metadata"]["labels"], {name: "patched"})
    check("newer", is_newer(after, made))
    check("listed", objects.names(label=label), [name])
    objects.delete(name)
    objects.until(lambda items: not items, GONE_SECONDS, label=label)
    check("gone", True)


def _updated(objects: Objects, check: Checks, *bodies: Json, key: str = "") -> None:
    """Others are made, updated with a label, named as the first where no key is given, and deleted as a collection."""
    names = [objects.create(body)["metadata"]["name"] for body in bodies]
    key = key or names[0]
    for name in names:
        after = objects.change(name, lambda item: item["metadata"].update(labels={key: "updated"}))
        check("updated", after["metadata"]["labels"], {key: "updated"})
    check("listed-again", {*objects.names(label=f"{key}=updated")}, {*names})
    objects.delete_all(label=f"{key}=updated")
    objects.until(lambda items: not items, GONE_SECONDS, label=f"{key}=updated")
    check("none-left", True)


def _generated(prefix: str, body: Json) -> Json:
    return {**body, "metadata": {"generateName": prefix}}


@conformance("StorageClasses CSI Conformance should run through the lifecycle of a StorageClass")
def test_storage_class(api: Api, check: Checks) -> None:
    objects, body = api.objects(STORAGE, "StorageClass"), {"provisioner": "e2e-fake-provisioner"}
    _patched(objects, check, _generated("e2e-", body))
    _updated(objects, check, _generated("e2e-v2-", body))


@conformance("CSINodes CSI Conformance should run through the lifecycle of a csinode")
def test_csi_node(api: Api, check: Checks, unique: str) -> None:
    objects = api.objects(STORAGE, "CSINode")
    first, second = ({"metadata": {"name": f"{unique}-{n}"}, "spec": {"drivers": None}} for n in (1, 2))
    _patched(objects, check, first)
    _updated(objects, check, second)


@conformance("CSIInlineVolumes should run through the lifecycle of a CSIDriver")
def test_csi_driver(api: Api, check: Checks, unique: str) -> None:
    objects, labels = api.objects(STORAGE, "CSIDriver"), {"e2e-test": unique}
    modes = (["Ephemeral"], ["Persistent", "Ephemeral"])
    bodies = [
        {"metadata": {"name": f"inline-driver-{unique}-{number}", "labels": labels},
         "spec": {"volumeLifecycleModes": mode, "fsGroupPolicy": "ReadWriteOnceWithFSType"}}
        for number, mode in enumerate(modes)
    ]  # fmt: skip
    first, second = (objects.create(body)["metadata"] for body in bodies)
    with pytest.raises(Refused) as refused:
        objects.create(bodies[0])
    check("once", refused.value.reason, "AlreadyExists")
    check("same-uid", [objects.get(one["name"])["metadata"]["uid"] for one in (first, second)],
          [first["uid"], second["uid"]])  # fmt: skip
    name = second["name"]
    after = objects.patch(name, {"metadata": {"labels": {name: "patched"}}}, STRATEGIC)
    check("patched", after["metadata"]["labels"][name], "patched")
    after = objects.change(name, lambda item: item["metadata"]["labels"].update({name: "updated"}))
    check("updated", after["metadata"]["labels"][name], "updated")
    check("listed", len(objects.items(label=f"e2e-test={unique}")), 2)
    objects.delete(first["name"])
    check("gone", not objects.exists(first["name"]))
    objects.delete_all(label=f"{name}=updated")
    check("none-left", not objects.exists(name))


@conformance("VolumeAttributesClass should run through the lifecycle of a VolumeAttributesClass")
def test_volume_attributes_class(api: Api, check: Checks) -> None:
    objects = api.objects(STORAGE, "VolumeAttributesClass")
    body: Json = {"driverName": "e2e-fake-csi-driver", "parameters": {"foo": "bar"}}
    _patched(objects, check, _generated("e2e-", body))
    _updated(objects, check, _generated("e2e-v2-", body))


def _attachment(api: Api, name: str) -> Json:
    """To the first node there is; a uid of its own does not count."""
    (node, *_) = api.objects("v1", "Node").names()
    spec = {"attacher": "e2e-test.storage.k8s.io", "nodeName": node, "source": {"persistentVolumeName": f"pv-{name}"}}
    return {"metadata": {"name": f"va-{name}", "uid": f"va-{name}"}, "spec": spec, "status": {"attached": False}}


@conformance("VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment")
def test_volume_attachment(api: Api, check: Checks, unique: str) -> None:
    objects = api.objects(STORAGE, "VolumeAttachment")
    first, second, third = (_attachment(api, f"{unique}-{number}") for number in (1, 2, 3))
    _patched(objects, check, first, MERGE)
    _updated(objects, check, second, third, key=f"va-{unique}")


@conformance("VolumeAttachment Conformance should apply changes to a volumeattachment status")
def test_volume_attachment_status(api: Api, check: Checks, unique: str) -> None:
    objects, name = api.objects(STORAGE, "VolumeAttachment"), f"va-{unique}"
    check("made", objects.create(_attachment(api, unique))["metadata"]["name"], name)
    after = objects.patch(name, {"metadata": {"labels": {name: "patched"}}})
    check("labelled", after["metadata"]["labels"], {name: "patched"})
    check("detached", objects.get(name, "status")["status"]["attached"], False)
    check("patched", objects.patch(name, {"status": {"attached": True}}, part="status")["status"]["attached"])
    after = objects.change(name, lambda item: item["status"].update(attached=False), "status")
    check("updated", after["status"]["attached"], False)
    objects.delete(name)
    objects.until(lambda items: not items, GONE_SECONDS, label=f"{name}=patched")
    check("gone", True)


def _is_refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except Refused:
        return True
    return False


@conformance(
    "SchedulerPreemption PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP"
    " methods"
)
def test_priority_classes(api: Api, check: Checks, unique: str) -> None:
    objects, text = api.objects("scheduling.k8s.io/v1", "PriorityClass"), "updated description"
    names, metadata = [f"{unique}-p{number}" for number in (1, 2)], {"labels": {"e2e": unique}}
    made = [
        objects.create({"metadata": {"name": name, **metadata}, "value": value}) for value, name in enumerate(names, 1)
    ]
    second = made[1]
    try:
        check("not-patched", _is_refused(lambda: objects.patch(names[0], {"value": 10}, STRATEGIC)))
        check("not-updated", _is_refused(lambda: objects.update({**second, "value": 20})))
        check("patched", objects.patch(names[0], {"description": text}, STRATEGIC)["description"], text)
        check("updated", objects.update({**second, "description": text})["description"], text)
        check("listed", {*names} <= {*objects.names()})
        found = [objects.get(name) for name in names]
        check("values", [item["value"] for item in found], [1, 2])
        check("descriptions", [item["description"] for item in found], [text, text])
        check("newer", [valid_version(item) and is_newer(item, old) for item, old in zip(found, made, strict=True)],
              [True, True])  # fmt: skip
    finally:
        objects.delete_all(label=f"e2e={unique}")
    check("gone", not {*names} & {*objects.names()})


def _amounts(cpu: str, memory: str, storage: str) -> dict[str, str]:
    found = {"cpu": cpu, "memory": memory, "ephemeral-storage": storage}
    return {name: amount for name, amount in found.items() if amount}


def _is_made(objects: Objects, body: Json) -> bool:
    try:
        objects.create(body)
    except Refused:
        return False
    return True


TOO_LITTLE: Json = {"requests": _amounts("10m", "50Mi", "50Gi")}
TOO_MUCH: Json = {"requests": _amounts("600m", "600Mi", "600Gi")}


@conformance("LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied.")
def test_defaults_of_a_limit_range(api: Api, namespace: str, check: Checks, unique: str) -> None:
    objects, pods, label = api.objects("v1", "LimitRange", namespace), api.objects("v1", "Pod", namespace), "time"
    limits, requests = _amounts("500m", "500Mi", "500Gi"), _amounts("100m", "200Mi", "200Gi")
    item: Json = {"type": "Container", "min": _amounts("50m", "100Mi", "100Gi"), "max": limits}
    item |= {"default": limits, "defaultRequest": requests}
    found = objects.all(label=f"{label}={unique}")
    check("none", found["items"], [])

    def resources(name: str, stated: Json | None = None) -> Any:
        pods.create(pause_pod(name, resources=stated))
        return pods.get(name)["spec"]["containers"][0]["resources"]

    with objects.watch(since=found["metadata"]["resourceVersion"], label=f"{label}={unique}") as changes:
        objects.create({"metadata": {"name": "limit-range", "labels": {label: unique}}, "spec": {"limits": [item]}})
        check("observed", next(changes)["type"], "ADDED")
    read = objects.get("limit-range")["spec"]["limits"][0]
    check("values", (read["defaultRequest"], read["default"]), (requests, limits))
    check("defaults", resources("pod-no-resources"), {"requests": requests, "limits": limits})
    partial: Json = {"requests": _amounts("", "150Mi", "150Gi"), "limits": _amounts("300m", "", "")}
    merged = {"requests": _amounts("300m", "150Mi", "150Gi"), "limits": _amounts("300m", "500Mi", "500Gi")}
    check("merged", resources("pod-partial-resources", partial), merged)
    check("too-little", not _is_made(pods, pause_pod("pfpod", resources=TOO_LITTLE)))
    check("too-much", not _is_made(pods, pause_pod("pfpod", resources=TOO_MUCH)))
    least = _amounts("9m", "49Mi", "49Gi")
    objects.change("limit-range", lambda one: one["spec"]["limits"][0].update(min=least))
    found = objects.until(lambda items: items["limit-range"]["spec"]["limits"][0]["min"] == least, 20)
    check("updated", found["limit-range"]["spec"]["limits"][0]["min"], least)
    check("little-enough", resources("pfpod", TOO_LITTLE))
    check("still-too-much", not _is_made(pods, pause_pod("pfpod2", resources=TOO_MUCH)))
    objects.delete("limit-range", gracePeriodSeconds=30)
    objects.until(lambda items: not items, 120)
    check("gone", True)
    eventually(lambda: _is_made(pods, pause_pod("pfpod2", resources=TOO_MUCH)), 30, 1)
    check("much", pods.exists("pfpod2"))


@conformance("LimitRange should list, patch and delete a LimitRange by collection")
def test_limit_ranges(api: Api, check: Checks, new_namespace: Callable[..., str], unique: str) -> None:
    here, there = (api.objects("v1", "LimitRange", new_namespace()) for _ in range(2))
    limits, least = _amounts("500m", "500Mi", "500Gi"), _amounts("9m", "49Mi", "49Gi")
    item: Json = {"type": "Container", "min": _amounts("50m", "100Mi", "100Gi"), "max": limits, "default": limits}
    item |= {"defaultRequest": _amounts("100m", "200Mi", "200Gi")}
    body = {"metadata": {"name": unique, "labels": {"e2e-test": unique, unique: "created"}}, "spec": {"limits": [item]}}
    made = here.create(body)
    there.create(body)
    check("listed-everywhere", len(here.everywhere().items(label=f"e2e-test={unique}")), 2)
    metadata = {"creationTimestamp": made["metadata"]["creationTimestamp"], "labels": {unique: "patched"}}
    changed = {**made["spec"]["limits"][0], "min": least}
    after = here.patch(unique, {"metadata": metadata, "spec": {"limits": [changed]}}, STRATEGIC)
    check("label", after["metadata"]["labels"][unique], "patched")
    check("patched", after["spec"]["limits"][0]["min"], least)
    here.delete_all(label=f"{unique}=patched")
    here.until(lambda items: not items, 10, label=f"{unique}=patched")
    check("gone", True)
    check("one-left", len(here.everywhere().items(label=f"e2e-test={unique}")), 1)


@conformance("Services should complete a service status lifecycle")
def test_service_status(api: Api, check: Checks, namespace: str, unique: str) -> None:
    objects, selector = api.objects("v1", "Service", namespace), f"test-service-static={unique}"
    since = objects.all(label=selector)["metadata"]["resourceVersion"]
    name = "test-service"
    with objects.watch(since=since, label=selector) as changes:
        port = {"name": "http", "protocol": "TCP", "port": 80, "targetPort": 80}
        spec: Json = {"type": "LoadBalancer", "ports": [port], "loadBalancerClass": "example.com/internal-vip"}
        objects.create({"metadata": {"name": name, "labels": {"test-service-static": unique}}, "spec": spec})
        check("added", next(changes)["type"], "ADDED")
        check("status-read", objects.get(name, "status")["status"], {"loadBalancer": {}})
        balanced = {"ingress": [{"ip": "203.0.113.1"}]}
        patch: Json = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": {"loadBalancer": balanced}}
        objects.patch(name, patch, part="status")

        def seen(reached: Callable[[Json], Any]) -> Json:
            found: Json = changes.first(lambda event: reached(event["object"]))["object"]
            return found

        found = seen(lambda item: item["metadata"].get("annotations", {}).get("patchedstatus") == "true")
        check("status-patched", found["status"]["loadBalancer"]["ingress"][0]["ip"], "203.0.113.1")
        condition = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"}
        sent = {**condition, "lastTransitionTime": None}
        objects.change(name, lambda item: item["status"].update(conditions=[sent]), "status")
        found = seen(lambda item: item["status"].get("conditions"))
        check("status-updated", condition.items() <= found["status"]["conditions"][0].items())
        objects.patch(name, {"metadata": {"labels": {"test-service": "patched"}}}, STRATEGIC)
        check("patched", seen(lambda item: item["metadata"]["labels"].get("test-service") == "patched"))
        objects.delete(name)
        check("deleted", changes.first(lambda event: event["type"] == "DELETED"))
