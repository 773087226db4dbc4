"""Kinds of sig-storage, sig-scheduling and sig-network, as objects: each through a life of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.api import STRATEGIC, Api, Json, Objects, Refused, eventually
from contract.conformance import Checks, conformance
from contract.pods import pause_pod

STORAGE = "storage.k8s.io/v1"


def _replaced(objects: Objects, check: Checks, template: Json, unique: str) -> None:
    """One is made, patched and deleted; another is made, updated and deleted with its collection."""
    metadata = {"generateName": "e2e-", "labels": {unique: "true"}}
    name = objects.create({**template, "metadata": metadata})["metadata"]["name"]
    check("read", objects.get(name)["metadata"]["name"], name)
    after = objects.patch(name, {"metadata": {"labels": {unique: "patched"}}}, STRATEGIC)
    check("patched", after["metadata"]["labels"][unique], "patched")
    check("listed", objects.names(label=f"{unique}=patched"), [name])
    objects.delete(name)
    objects.until_gone(name, 60)
    check("gone", True)
    name = objects.create({**template, "metadata": metadata})["metadata"]["name"]
    after = objects.change(name, lambda item: item["metadata"]["labels"].update({unique: "updated"}))
    check("updated", after["metadata"]["labels"][unique], "updated")
    objects.delete_all(label=f"{unique}=updated")
    objects.until(lambda items: not items, 60, label=unique)
    check("none-left", True)


@conformance("StorageClasses CSI Conformance should run through the lifecycle of a StorageClass")
def test_storage_class(api: Api, check: Checks, unique: str) -> None:
    _replaced(api.objects(STORAGE, "StorageClass"), check, {"provisioner": "e2e-fake-provisioner"}, unique)


@conformance("CSINodes CSI Conformance should run through the lifecycle of a csinode")
def test_csi_node(api: Api, check: Checks, unique: str) -> None:
    _replaced(api.objects(STORAGE, "CSINode"), check, {"spec": {"drivers": []}}, unique)


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
def test_volume_attributes_class(api: Api, check: Checks, unique: str) -> None:
    template = {"driverName": "e2e-fake-csi-driver", "parameters": {"type": "gold"}}
    _replaced(api.objects(STORAGE, "VolumeAttributesClass"), check, template, unique)


def _attachment(unique: str) -> Json:
    return {
        "spec": {"attacher": "e2e-test.storage.k8s.io", "nodeName": unique, "source": {"persistentVolumeName": unique}}
    }


@conformance("VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment")
def test_volume_attachment(api: Api, check: Checks, unique: str) -> None:
    _replaced(api.objects(STORAGE, "VolumeAttachment"), check, _attachment(unique), unique)


@conformance("VolumeAttachment Conformance should apply changes to a volumeattachment status")
def test_volume_attachment_status(api: Api, check: Checks, unique: str) -> None:
    objects = api.objects(STORAGE, "VolumeAttachment")
    made = objects.create({**_attachment(unique), "metadata": {"name": unique}})
    try:
        check("detached", made["status"]["attached"], False)
        after = objects.patch(unique, {"status": {"attached": True}}, part="status")
        check("patched", after["status"]["attached"])
        check("read", objects.get(unique, "status")["status"]["attached"])
        after = objects.change(unique, lambda item: item["status"].update(attached=False), "status")
        check("updated", after["status"]["attached"], False)
    finally:
        objects.delete(unique)
    objects.until_gone(unique, 60)
    check("gone", True)


def _invalid(act: Callable[[], object]) -> bool:
    try:
        act()
    except Refused as error:
        return error.reason == "Invalid"
    return False


@conformance(
    "SchedulerPreemption PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP"
    " methods"
)
def test_priority_classes(api: Api, check: Checks, unique: str) -> None:
    objects = api.objects("scheduling.k8s.io/v1", "PriorityClass")
    names = [f"{unique}-p{number}" for number in (1, 2)]
    try:
        for value, name in enumerate(names, 1):
            objects.create({"metadata": {"name": name}, "value": value})
        check("not-patched", _invalid(lambda: objects.patch(names[0], {"value": 10}, STRATEGIC)))
        check("not-updated", _invalid(lambda: objects.change(names[1], lambda item: item.update(value=10))))
        check("listed", {*names} <= {*objects.names()})
        check("values", [objects.get(name)["value"] for name in names], [1, 2])
    finally:
        for name in names:
            objects.delete(name)
    check("gone", not {*names} & {*objects.names()})


def _limits(name: str, unique: str) -> Json:
    item: Json = {"type": "Container", "min": {"cpu": "50m"}, "max": {"cpu": "500m"}, "default": {"cpu": "500m"}}
    item["defaultRequest"] = {"cpu": "50m"}
    return {"metadata": {"name": name, "labels": {unique: "true"}}, "spec": {"limits": [item]}}


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
    check("updated", objects.get("limit-range")["spec"]["limits"][0]["min"], least)
    check("little-enough", resources("pfpod", TOO_LITTLE))
    check("still-too-much", not _is_made(pods, pause_pod("pfpod2", resources=TOO_MUCH)))
    objects.delete("limit-range", gracePeriodSeconds=30)
    objects.until(lambda items: not items, 30)
    check("gone", True)
    eventually(lambda: _is_made(pods, pause_pod("pfpod2", resources=TOO_MUCH)), 30, 1)
    check("much", pods.exists("pfpod2"))


@conformance("LimitRange should list, patch and delete a LimitRange by collection")
def test_limit_ranges(api: Api, check: Checks, new_namespace: Callable[..., str], unique: str) -> None:
    here, there = (api.objects("v1", "LimitRange", new_namespace()) for _ in range(2))
    for objects in (here, there):
        objects.create(_limits("e2e-limitrange", unique))
    check("listed-everywhere", len(here.everywhere().items(label=unique)), 2)
    limits = _limits("", unique)["spec"]["limits"]
    patch = {"metadata": {"labels": {unique: "patched"}}, "spec": {"limits": [{**limits[0], "min": {"cpu": "40m"}}]}}
    after = here.patch("e2e-limitrange", patch, STRATEGIC)
    check("label", after["metadata"]["labels"][unique], "patched")
    check("patched", after["spec"]["limits"][0]["min"], {"cpu": "40m"})
    here.delete_all(label=f"{unique}=patched")
    here.until(lambda items: not items, 60, label=unique)
    check("gone", True)
    check("one-left", len(there.everywhere().items(label=unique)), 1)


@conformance("Services should complete a service status lifecycle")
def test_service_status(api: Api, check: Checks, namespace: str, unique: str) -> None:
    objects, selector = api.objects("v1", "Service", namespace), f"test-service-static={unique}"
    since = objects.all(label=selector)["metadata"]["resourceVersion"]
    name = "test-service"
    with objects.watch(since=since, label=selector) as changes:
        port = {"name": "http", "protocol": "TCP", "port": 80, "targetPort": 80}
        spec: Json = {"type": "LoadBalancer", "ports": [port]}
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
        time = {"lastTransitionTime": "2026-01-01T00:00:00Z"}
        objects.change(name, lambda item: item["status"].update(conditions=[{**condition, **time}]), "status")
        found = seen(lambda item: item["status"].get("conditions"))
        check("status-updated", found["status"]["conditions"][0]["type"], "StatusUpdate")
        objects.patch(name, {"metadata": {"labels": {"test-service": "patched"}}}, STRATEGIC)
        check("patched", seen(lambda item: item["metadata"]["labels"].get("test-service") == "patched"))
        objects.delete(name)
        check("deleted", changes.first(lambda event: event["type"] == "DELETED"))
