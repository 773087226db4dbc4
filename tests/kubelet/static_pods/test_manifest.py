"""What manifests become, and why they are refused, as upstream's common.go and HasAPIObjectReference have it."""

from typing import Any

import orjson
import pytest
import yaml

from kubelet.static_pods.standing import manifest
from pilothouse.kubelet.static_pods.manifest import ManifestError, Origin, read_pod, read_pods, stamped

FILE = Origin("file", "/etc/manifests/web.yaml", "n1")
URL = Origin("http", "https://example.com/pods", "n1")


def made(origin: Origin = FILE, **parts: Any) -> Any:
    return read_pod(yaml.safe_dump(manifest(**parts)).encode(), origin)


def test_a_pod_of_this_node() -> None:
    pod = made()
    assert (pod.metadata.name, pod.metadata.namespace, pod.spec.nodeName) == ("web-n1", "default", "n1")
    assert pod.metadata.annotations == {
        "kubernetes.io/config.hash": pod.metadata.uid, "kubernetes.io/config.source": "file",
    }  # fmt: skip
    assert pod.status.raw == {"phase": "Pending"}
    assert (pod.spec.restartPolicy, pod.spec.containers[0].terminationMessagePath) == ("Always", "/dev/termination-log")


def test_what_it_says_itself_stays() -> None:
    pod = made(metadata={"namespace": "kube-system", "uid": "mine", "annotations": {"a": "b"}, "labels": {"c": "d"}})
    assert (pod.metadata.namespace, pod.metadata.uid, pod.metadata.labels) == ("kube-system", "mine", {"c": "d"})
    assert pod.metadata.annotations["a"] == "b"
    assert pod.metadata.annotations["kubernetes.io/config.hash"] == "mine"


ANOTHER = [
    made(image="app:2"), made(name="other"), made(Origin("file", "/etc/manifests/b.yaml", "n1")),
    made(Origin("file", FILE.place, "n2")), made(URL),
]  # fmt: skip


@pytest.mark.parametrize("other", ANOTHER)
def test_any_change_makes_another_pod(other: Any) -> None:
    assert other.metadata.uid != made().metadata.uid
    assert len(other.metadata.uid) == 32


def test_how_it_is_written_makes_no_other_pod() -> None:
    text = orjson.dumps(manifest(), option=orjson.OPT_INDENT_2)
    assert read_pod(text, FILE).metadata.uid == made().metadata.uid


OURS = {"operator": "Exists", "effect": "NoExecute"}


@pytest.mark.parametrize(
    ("origin", "given", "expected"),
    [
        (FILE, [], [OURS]),
        (FILE, [{"key": "a", **OURS}], [{"key": "a", **OURS}, OURS]),
        (FILE, [{**OURS, "tolerationSeconds": 3}, {"key": "b", **OURS}], [OURS, {"key": "b", **OURS}]),
        (URL, [], []),
    ],
)
def test_trouble_of_the_node_does_not_drive_files_pods_away(origin: Origin, given: Any, expected: Any) -> None:
    assert list(made(origin, tolerations=given).raw["spec"].get("tolerations", [])) == expected


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("a: [", "yaml: line 1: did not find expected node content"),
        ("", "not an object"),
        ("- a", "not an object"),
        ({"apiVersion": "v1"}, "Object 'Kind' is missing"),
        ({"kind": "Pod"}, "Object 'ApiVersion' is missing"),
        ({"apiVersion": "v1", "kind": "Service"}, 'Service in version "v1" cannot be handled as a Pod'),
        ("kind: Pod\napiVersion: v1\nspec: {priority: 36893488147419103232}", "json: Integer exceeds 64-bit range"),
        (manifest(name=""), "invalid pod: name is needed for the pod"),
        (manifest(containers=[]), "invalid pod: [spec.containers: Required value]"),
        (manifest(containers="x"), "cannot unmarshal string"),
        (manifest(name="A"), "invalid pod: [metadata.name: Invalid value"),
        (manifest(serviceAccountName="s"), "static pods may not reference serviceaccounts"),
        (manifest(imagePullSecrets=[{"name": "s"}]), "static pods may not reference secrets"),
        (manifest(volumes=[{"name": "v", "configMap": {"name": "c"}}]), "static pods may not reference configmaps"),
    ],
)
def test_what_is_no_static_pod(value: Any, complaint: str) -> None:
    text = value if isinstance(value, str) else yaml.safe_dump(value)
    with pytest.raises(ManifestError) as refusal:
        read_pod(text.encode(), FILE)
    assert complaint in str(refusal.value)


def test_a_list() -> None:
    items = [
        {name: value for name, value in manifest(name=one).items() if name in ("metadata", "spec")} for one in "ab"
    ]
    listed = yaml.safe_dump({"apiVersion": "v1", "kind": "PodList", "items": items}).encode()
    assert [pod.metadata.name for pod in read_pods(listed, URL)] == ["a-n1", "b-n1"]
    assert [pod.metadata.name for pod in read_pods(yaml.safe_dump(manifest()).encode(), URL)] == ["web-n1"]
    with pytest.raises(ManifestError, match="PodList in version"):
        read_pod(listed, FILE)


def test_one_wrong_pod_spoils_a_list() -> None:
    listed = yaml.safe_dump({"apiVersion": "v1", "kind": "PodList", "items": [manifest(), manifest(name="")]})
    with pytest.raises(ManifestError, match="name is needed"):
        read_pods(listed.encode(), URL)


def test_when_it_was_seen() -> None:
    assert stamped(made(), 0.0).metadata.annotations["kubernetes.io/config.seen"] == "1970-01-01T00:00:00Z"
