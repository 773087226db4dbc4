"""sig-node and sig-storage: pods and volumes as the API keeps them, where it does not matter what runs."""

from collections.abc import Callable

import pytest

from contract.api import MERGE, STRATEGIC, Api, Json, Objects, Refused
from contract.conformance import Checks, conformance
from contract.images import BUSYBOX, HTTPD, PAUSE
from contract.operations import condition, is_newer, valid_version
from contract.pods import START_SECONDS, pause_pod, until_running

UPDATES = 500
VOLUME_SECONDS = 30


@pytest.fixture
def pods(api: Api, namespace: str) -> Objects:
    return api.objects("v1", "Pod", namespace)


@conformance("Pods should get a host IP")
def test_host_ip(pods: Objects, check: Checks) -> None:
    pods.create(pause_pod("pod-hostip"))
    until_running(pods, "pod-hostip")
    check("running", True)
    found = pods.until(lambda items: items["pod-hostip"]["status"].get("hostIP"), 120)
    check("address", found["pod-hostip"]["status"]["hostIP"])


@conformance("Pods should be submitted and removed")
def test_a_pod_comes_and_goes(pods: Objects, check: Checks, unique: str) -> None:
    label = f"time={unique}"
    before = pods.all(label=label)
    check("none-yet", before["items"], [])
    since = before["metadata"]["resourceVersion"]
    with pods.watch(since=since, label=label, seconds=START_SECONDS) as changes:
        pods.create(pause_pod("test", labels={"name": "foo", "time": unique}))
        check("listed", pods.names(label=label), ["test"])
        check("added", next(changes)["type"], "ADDED")
        until_running(pods, "test")
        pods.delete("test", gracePeriodSeconds=30)
        last = changes.first(lambda event: event["type"] == "DELETED")["object"]
    check("deleted", last["metadata"].get("deletionTimestamp"))
    check("grace", last["spec"]["terminationGracePeriodSeconds"])
    check("gone", pods.items(label=label), [])


@conformance("Pods should be updated")
def test_a_pod_is_updated(pods: Objects, check: Checks, unique: str) -> None:
    pods.create(pause_pod("test", labels={"time": unique}))
    until_running(pods, "test")
    check("listed", pods.names(label=f"time={unique}"), ["test"])
    pods.change("test", lambda item: item["metadata"]["labels"].update(time=f"{unique}-later"))
    until_running(pods, "test")
    check("updated", pods.names(label=f"time={unique}-later"), ["test"])


@conformance("Pods should run through the lifecycle of Pods and PodStatus")
def test_a_pods_life(pods: Objects, check: Checks, unique: str) -> None:
    label = f"test-pod-static={unique}"
    spec = {"terminationGracePeriodSeconds": 1}
    pods.create(pause_pod("pod-test", labels={"test-pod-static": unique}, spec=spec))
    until_running(pods, "pod-test")
    check("running", True)
    containers = [{"name": "pause", "image": HTTPD}]
    patch = {"metadata": {"labels": {"test-pod": "patched"}}, "spec": {**spec, "containers": containers}}
    pods.patch("pod-test", patch, STRATEGIC)
    found = pods.get("pod-test")
    check("patched", (found["metadata"]["labels"]["test-pod"], found["spec"]["containers"][0]["image"]),
          ("patched", HTTPD))  # fmt: skip
    kinds = ("Ready", "ContainersReady")

    def is_said(item: Json, status: str) -> bool:
        return all((condition(item, kind) or {}).get("status") == status for kind in kinds)

    def edit(item: Json) -> None:
        assert is_said(item, "True")
        for kind in kinds:
            condition(item, kind)["status"] = "False"

    pods.until(lambda items: is_said(items["pod-test"], "True"), START_SECONDS)
    check("status-read", pods.get("pod-test", "status")["metadata"]["name"], "pod-test")
    check("status-replaced", is_said(pods.change("pod-test", edit, "status"), "False"))
    with pods.watch(since=pods.all()["metadata"]["resourceVersion"], label=label) as changes:
        pods.delete_all(label=label, gracePeriodSeconds=1)
        check("deleted", changes.first(lambda event: event["type"] == "DELETED"))
    check("gone", not pods.exists("pod-test"))


@conformance("Pods Extended (pod generation) Pod Generation pod generation should start at 1 and increment per update")
def test_generation(pods: Objects, check: Checks) -> None:
    first = [{"name": "init-container", "image": BUSYBOX}]
    pods.create(pause_pod("test", spec={"initContainers": first}))
    check("one", until_running(pods, "test")["metadata"]["generation"], 1)
    toleration = {"key": "foo", "operator": "Equal", "value": "bar", "effect": "NoSchedule"}
    steps: dict[str, tuple[Callable[[Json], object], int]] = {
        "nothing": (lambda _item: None, 1),
        "tolerations": (lambda item: item["spec"].update(tolerations=[toleration]), 2),
        "deadline": (lambda item: item["spec"].update(activeDeadlineSeconds=5000), 3),
        "image": (lambda item: item["spec"]["containers"][0].update(image=HTTPD), 4),
        "first-image": (lambda item: item["spec"]["initContainers"][0].update(image=PAUSE), 5),
        "metadata": (lambda item: item["metadata"].update(annotations={"key": "value"}), 5),
        "not-the-clients": (lambda item: item["metadata"].update(generation=1), 5),
    }
    for assertion, (edit, generation) in steps.items():
        pods.change("test", edit)
        check(assertion, pods.get("test")["metadata"]["generation"], generation)


@conformance("Pods Extended (pod generation) Pod Generation custom-set generation on new pods and graceful delete")
def test_generation_of_a_new_pod(api: Api, pods: Objects, check: Checks) -> None:
    pods.create(pause_pod("test", generation=100))
    check("one", until_running(pods, "test")["metadata"]["generation"], 1)
    answer = api.open("DELETE", pods.path("test"), query={"gracePeriodSeconds": 60})
    check("done", answer.status, 200)
    check("deletion", pods.get("test")["metadata"]["generation"], 2)


@conformance(
    "Pods Extended (pod generation) Pod Generation issue 500 podspec updates and verify generation and"
    " observedGeneration eventually converge"
)
def test_generation_after_many_updates(pods: Objects, check: Checks) -> None:
    pods.create(pause_pod("test", spec={"activeDeadlineSeconds": 5000}))
    until_running(pods, "test")
    for number in range(1, UPDATES):
        pods.patch("test", {"spec": {"activeDeadlineSeconds": 5000 - number}})
    check("generation", pods.get("test")["metadata"]["generation"], UPDATES)
    pods.until(lambda items: items["test"]["status"].get("observedGeneration") == UPDATES, START_SECONDS)
    check("observed", True)


@conformance("CSIInlineVolumes should support CSIVolumeSource in Pod API")
def test_inline_volumes(pods: Objects, check: Checks) -> None:
    driver = "e2e.example.com"
    volumes = [
        {"name": "vol1", "csi": {"driver": driver}},
        {"name": "vol2", "csi": {"driver": driver, "fsType": "ext4", "readOnly": True}},
    ]
    mounts = [{"name": f"vol{number}", "mountPath": f"/mnt/vol{number}"} for number in (1, 2)]
    container = {"name": "pod", "image": BUSYBOX, "command": ["sh", "-c", "ls /mnt/*"], "volumeMounts": mounts}
    body = pause_pod("pod-csi-inline-volumes", spec={"volumes": volumes, "containers": [container]})
    made = pods.create(body)
    name = made["metadata"]["name"]
    with pytest.raises(Refused) as refused:
        pods.create(body)
    check("once", refused.value.reason, "AlreadyExists")
    check("same-uid", pods.get(name)["metadata"]["uid"], made["metadata"]["uid"])
    check("listed", len(pods.items()), 1)
    after = pods.patch(name, {"metadata": {"annotations": {"patched": "true"}}}, MERGE)
    check("patched", after["metadata"]["annotations"]["patched"], "true")
    pods.delete(name)
    check("deleted", not pods.exists(name) or pods.get(name)["metadata"].get("deletionTimestamp"))


def _volume_and_claim(api: Api, namespace: str, unique: str) -> tuple[Objects, Objects, str]:
    """A volume of a driver that there is not, and a claim that could have it. Returns the volume's name too."""
    volumes = api.objects("v1", "PersistentVolume")
    claims = api.objects("v1", "PersistentVolumeClaim", namespace)
    sizes, modes = {"storage": "2Gi"}, {"accessModes": ["ReadWriteOnce"], "storageClassName": unique}
    source = {"csi": {"driver": f"e2e-driver-{unique}", "volumeHandle": "e2e-conformance"}}
    made = volumes.create({
        "metadata": {"generateName": f"{unique}-", "labels": {"e2e-pv-pool": unique}},
        "spec": {**modes, **source, "capacity": sizes, "persistentVolumeReclaimPolicy": "Retain"},
    })  # fmt: skip
    claims.create({"metadata": {"generateName": "pvc-"}, "spec": {**modes, "resources": {"requests": sizes}}})
    return volumes, claims, str(made["metadata"]["name"])


@conformance("PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC")
def test_a_volumes_life(api: Api, namespace: str, check: Checks, unique: str) -> None:
    volumes, claims, name = _volume_and_claim(api, namespace, unique)
    check("listed", (volumes.names(label=f"e2e-pv-pool={unique}"), len(claims.items())), ([name], 1))
    check("valid-version", [valid_version(item) for item in (volumes.get(name), *claims.items())], [True, True])
    for objects, one in ((volumes, name), (claims, claims.names()[0])):
        before = objects.get(one)
        after = objects.patch(one, {"metadata": {"labels": {one: "patched"}}}, STRATEGIC)
        check("patched", after["metadata"]["labels"][one], "patched")
        check("newer", is_newer(after, before))
        check("same-uid", objects.get(one)["metadata"]["uid"], after["metadata"]["uid"])
    claims.delete(claims.names()[0])
    claims.until(lambda items: not items, VOLUME_SECONDS)
    volumes.delete(name)
    volumes.until(lambda items: not items, VOLUME_SECONDS, label=f"e2e-pv-pool={unique}")
    check("deleted", True)
    volumes, claims, name = _volume_and_claim(api, namespace, unique)
    claim = claims.names()[0]
    for objects, one in ((volumes, name), (claims, claim)):

        def edit(item: Json, one: str = one) -> None:
            item["metadata"]["labels"] = {**item["metadata"].get("labels", {}), one: "updated"}

        check("updated", objects.change(one, edit)["metadata"]["labels"][one], "updated")
    check("listed-everywhere", claims.everywhere().names(label=f"{claim}=updated"), [claim])
    for objects, one in ((claims, claim), (volumes, name)):
        objects.delete_all(label=f"{one}=updated")
        objects.until(lambda items: not items, VOLUME_SECONDS, label=f"{one}=updated")
    check("none-left", True)


@conformance("PersistentVolumes CSI Conformance should apply changes to a pv/pvc status")
def test_status_of_a_volume(api: Api, namespace: str, check: Checks, unique: str) -> None:
    volumes, claims, name = _volume_and_claim(api, namespace, unique)
    (claim,) = claims.names()
    check("listed", volumes.names(label=f"e2e-pv-pool={unique}"), [name])
    check("claim-read", claims.get(claim, "status")["status"]["phase"] in ("Pending", "Bound"))
    check("volume-read", volumes.get(name, "status")["status"]["phase"] in ("Available", "Bound", "Pending"))
    patched = {"type": "StatusPatched", "status": "True", "reason": "E2E patchedStatus", "message": "Set from e2e test"}
    after = claims.patch(claim, {"status": {"conditions": [patched]}}, MERGE, "status")
    check("claim-patched", patched.items() <= condition(after, "StatusPatched").items())
    words = {"message": "StatusPatched", "reason": "E2E patchStatus"}
    check("volume-patched", words.items() <= volumes.patch(name, {"status": words}, MERGE, "status")["status"].items())
    updated = {**patched, "type": "StatusUpdated", "reason": "E2E updateStatus"}
    after = claims.change(claim, lambda item: item["status"]["conditions"].append(updated), "status")
    check("claim-updated", updated.items() <= condition(after, "StatusUpdated").items())
    words = {"message": "StatusUpdated", "reason": "E2E updateStatus"}
    after = volumes.change(name, lambda item: item["status"].update(words), "status")
    check("volume-updated", words.items() <= after["status"].items())
    volumes.delete(name)
