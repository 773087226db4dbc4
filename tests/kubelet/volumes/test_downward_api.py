"""What a pod is, as files."""

from pathlib import Path
from typing import Any

from kubelet.observing import containers, pod
from kubelet.volumes.setting_up import Place, texts

ITEMS = [
    {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}},
    {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
    {"path": "memory", "resourceFieldRef": {"containerName": "app", "resource": "limits.memory"}},
]


def labelled(label: str) -> Any:
    return pod(metadata={"labels": {"a": label}}, containers=containers("app"),
               volumes=[{"name": "v", "downwardAPI": {"items": ITEMS}}])  # fmt: skip


def test_fields_and_resources(tmp_path: Path) -> None:
    made = Place(tmp_path).set_up(labelled("1"))
    assert texts(made["v"]) == {"name": "web", "labels": 'a="1"', "memory": str(1 << 30)}


def test_labels_are_followed(tmp_path: Path) -> None:
    made = Place(tmp_path).set_up(labelled("1"), labelled("2"))
    assert (made["v"] / "labels").read_text() == 'a="2"'
